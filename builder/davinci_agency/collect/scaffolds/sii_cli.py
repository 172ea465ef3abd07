"""SII-CLI, run through its Python SDK.

The SDK starts SII-CLI's bridge, a program of Node that is not on the package index: name it in the
variable ``SII_BRIDGE_PATH`` inside, and let its folder be seen there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from davinci_agency.records import SourceFormat


@dataclass(frozen=True, slots=True)
class SiiCli:
    """The agent that the method's authors used."""

    name: str = "sii-cli"
    version: str = "0.1.11"
    source_format: SourceFormat = "sii-sdk"
    trajectory: str = "session.json"
    pins: tuple[str, ...] = ("sii-agent-sdk==0.1.11", "anyio==4.16.0")
    driver: Path = Path(__file__).parent / "drivers" / "sii_cli.py"
