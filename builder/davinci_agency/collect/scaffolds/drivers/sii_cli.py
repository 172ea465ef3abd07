"""Runs SII-CLI on one request; see `davinci_agency.collect.scaffold`.

Needs the environment of sii-agent-sdk, and nothing of this project. To go on after feedback, the
session takes up its earlier turns, and the feedback is its next prompt. Nothing is uploaded: by
itself SII-CLI would send what was said to its makers.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sii_agent_sdk import SiiAgentOptions, SiiAgentSession
from sii_agent_sdk.bridge import BridgeProcess
from sii_agent_sdk.session_state import ConversationTurn

FORMAT = "sii-sdk-1"
VERSION = "0.1.11"
MANY = 1000
"""Turns where no limit is asked for; the SDK would stop after ten."""


class Bridge(BridgeProcess):  # type: ignore[misc]
    """The bridge, whose complaints are read all the time: it would stop when its pipe is full."""

    async def start(self) -> None:
        """Start it."""
        await super().start()
        if self.stderr_reader is not None:
            self.drained = asyncio.ensure_future(self.drain(self.stderr_reader))

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Pass on what it complains about."""
        while data := await stream.read(1 << 16):
            sys.stderr.buffer.write(data)

    async def _read_stderr(self) -> str:
        await self.drained
        return "see above"


# The package has a function of the module's name.
sys.modules["sii_agent_sdk.query"].BridgeProcess = Bridge  # type: ignore[attr-defined]


class Record:
    """The session so far, written down after every message."""

    def __init__(self, path: Path, model: str, stream: list[Any]) -> None:
        self.path = path
        self.model = model
        self.stream = stream

    def save(self, session: SiiAgentSession, exit_status: str | None) -> None:
        """Write it, whole or not at all."""
        state = session.state
        value = {
            "trajectory_format": FORMAT,
            "info": {"sdk_version": VERSION, "model": self.model, "exit_status": exit_status},
            "stream": self.stream,
            "state": {
                "session_id": state.session_id,
                "environment_context": state.environment_context,
                "history": [asdict(turn) for turn in state.history],
            },
        }
        beside = self.path.with_suffix(".partial")
        beside.write_text(json.dumps(value), encoding="utf-8")
        beside.replace(self.path)


async def work(folder: Path) -> None:
    """Work on the request in a folder."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    session = SiiAgentSession(
        SiiAgentOptions(
            auth_type="USE_OPENAI",
            yolo=True,
            max_turns=request["steps"] or MANY,
            cwd=Path.cwd(),
            model=request["model"],
            log_events=False,
            enable_data_upload=False,
            env={
                "SII_OPENAI_BASE_URL": os.environ["MODEL_URL"],
                "SII_OPENAI_API_KEY": "none-is-needed-here",
                "SII_OPENAI_MODEL": request["model"],
            },
        )
    )
    prompt, stream = request["query"], []
    if request["earlier"] is not None:
        earlier = json.loads((folder / request["earlier"]).read_text(encoding="utf-8"))
        prompt, stream = request["feedback"], earlier["stream"]
        session.append_turns(ConversationTurn(**turn) for turn in earlier["state"]["history"])
        session.state.session_id = earlier["state"]["session_id"]
        session.state.environment_context = earlier["state"]["environment_context"]
    record = Record(folder / "session.json", request["model"], stream)
    stream.append({"role": "user", "content": prompt})
    record.save(session, None)
    exit_status = None
    try:
        async for message in session.run(prompt):
            stream.append(asdict(message))
            if stream[-1].get("type") in ("completed", "error"):
                exit_status = stream[-1]["type"]
            record.save(session, exit_status)
        # Who it was is told last, after the last message.
        record.save(session, exit_status)
    except Exception as error:
        record.save(session, type(error).__name__)
        raise


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1])))
