"""mini-swe-agent 2.x, run with its own standard configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from davinci_agency.records import SourceFormat


@dataclass(frozen=True, slots=True)
class MiniSweAgent:
    """One agent, one tool: bash."""

    name: str = "mini-swe-agent"
    version: str = "2.4.6"
    source_format: SourceFormat = "mini-swe-agent"
    trajectory: str = "trajectory.traj.json"
    # mcp is imported by this litellm, which doesn't ask for it.
    pins: tuple[str, ...] = ("mini-swe-agent==2.4.6", "litellm==1.106.2", "mcp==2.3.0")
    driver: Path = Path(__file__).parent / "drivers" / "mini_swe_agent.py"
