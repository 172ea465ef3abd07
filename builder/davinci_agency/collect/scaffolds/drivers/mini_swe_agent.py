"""Runs mini-swe-agent on one request; see `davinci_agency.collect.scaffold`.

Needs mini-swe-agent's environment, and nothing of this project. To go on after feedback, the
earlier messages are taken up again: the call that handed in is answered, and the feedback is a
user's turn.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "MSWEA_CONFIGURED": "true",
    "MSWEA_COST_TRACKING": "ignore_errors",
    "MSWEA_SILENT_STARTUP": "1",
    "MSWEA_GLOBAL_CONFIG_DIR": os.environ.get("HOME", ".") + "/.mini",
    "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "2",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_API_KEY": "none-is-needed-here",
    "OPENAI_BASE_URL": os.environ["MODEL_URL"],
    "OPENAI_API_BASE": os.environ["MODEL_URL"],
}

from minisweagent.agents.default import DefaultAgent
from minisweagent.config import get_config_from_spec
from minisweagent.environments import get_environment
from minisweagent.exceptions import FormatError, InterruptAgentFlow
from minisweagent.models import get_model

HANDED_IN = "Your work was handed in and looked at."
OWN = ("mode", "confirm_exit", "agent_class")
"""Settings that only the agent at a terminal has."""


class Agent(DefaultAgent):  # type: ignore[misc]
    """The default agent, which can also go on where an earlier one stopped."""

    def go_on(self, messages: list[dict[str, Any]], feedback: str) -> None:
        """Take up a conversation with feedback, and work until the end."""
        self.messages = [turn for turn in messages if turn.get("role") != "exit"]
        answered = {turn.get("tool_call_id") for turn in self.messages}
        for call in self.messages[-1].get("tool_calls") or ():
            if call["id"] not in answered:
                answer = {"role": "tool", "tool_call_id": call["id"], "content": HANDED_IN}
                self.add_messages(answer)
        self.add_messages({"role": "user", "content": feedback})
        while self.messages[-1].get("role") != "exit":
            self.take_a_step()

    def take_a_step(self) -> None:
        """Ask the model and do what it says; as `run` does it."""
        try:
            self.step()
            self.n_consecutive_format_errors = 0
        except FormatError as error:
            self.n_consecutive_format_errors += 1
            self.add_messages(*error.messages)
            if self.n_consecutive_format_errors >= self.config.max_consecutive_format_errors:
                extra = {"exit_status": "RepeatedFormatError", "submission": ""}
                self.add_messages({"role": "exit", "content": "", "extra": extra})
        except InterruptAgentFlow as error:
            self.add_messages(*error.messages)
        except Exception as error:
            self.handle_uncaught_exception(error)
            raise
        finally:
            self.save(self.config.output_path)


def main(folder: Path) -> None:
    """Work on the request in a folder."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    config = get_config_from_spec("mini.yaml")
    settings = {name: value for name, value in config["agent"].items() if name not in OWN}
    settings |= {
        "step_limit": request["steps"] or 0,
        "cost_limit": 0,
        "output_path": folder / "trajectory.traj.json",
    }
    model = get_model(config=config["model"] | {"model_name": f"openai/{request['model']}"})
    cwd = {"cwd": str(Path.cwd())}
    environment = get_environment(config["environment"] | cwd, default_type="local")
    agent = Agent(model, environment, **settings)
    if request["earlier"] is None:
        agent.run(request["query"])
    else:
        earlier = json.loads((folder / request["earlier"]).read_text(encoding="utf-8"))
        agent.extra_template_vars |= {"task": request["query"]}
        agent.go_on(earlier["messages"], request["feedback"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
