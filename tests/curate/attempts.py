"""Small attempts and tasks as records, for the rules about trajectories."""

from __future__ import annotations

from typing import Any

from davinci_agency.records import Attempt, Task, from_json
from tests import samples

Message = dict[str, Any]

MERGES = ("3fa81c09d2" * 4, "b7e4025c1f" * 4, "0c9d8e7f6a" * 4)
NUMBERS = (4117, 4200, 4388)


def task(stages: int = 1, repo: str = "acme/anvil") -> Task:
    """Return a task whose stages merge `MERGES` and `NUMBERS`."""
    value = samples.task("task-1", stages, kind="single-pr" if stages == 1 else "temporal-chain")
    value["repo"] = repo
    for number, stage in enumerate(value["stages"]):
        stage.update(number=NUMBERS[number], merge_commit=MERGES[number], result_tree=None)
    return from_json(value, Task)


def turns(*calls: tuple[Any, str] | str, tool: str = "bash") -> list[Message]:
    """Return a question, calls with their answers, and a last word.

    A call is a command, or arguments, with what it is answered (``ok`` if that is left out).
    """
    messages: list[Message] = [{"role": "user", "content": "Mend the anvil."}]
    for number, call in enumerate(calls):
        what, answer = (call, "ok") if isinstance(call, str) else call
        arguments = {"command": what} if isinstance(what, str) else what
        function = {"name": tool, "arguments": arguments}
        made = {"id": f"call_{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": "", "tool_calls": [made]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": answer})
    return [*messages, {"role": "assistant", "content": "Done."}]


def attempt(messages: list[Message], **changes: Any) -> Attempt:
    """Return an attempt of one stage that changes nothing, unless ``changes`` say otherwise."""
    patch = changes.get("model_patch", "")
    status = changes.get("exit_status", "Submitted")
    stage = {
        "message_start": 0,
        "message_end": len(messages),
        "model_patch": patch,
        "exit_status": status,
    }
    values = {
        "messages": messages,
        "stages": [stage],
        "model_patch": patch,
        "exit_status": status,
        "num_tokens": None,
        **changes,
    }
    return from_json(samples.attempt("attempt-1", "task-1", **values), Attempt)


def staged(*parts: list[Message], patches: tuple[str, ...] = ()) -> Attempt:
    """Return an attempt with a stage for each part, the ids of its calls made unlike."""
    messages: list[Message] = []
    stages = []
    for number, part in enumerate(parts):
        start = len(messages)
        for message in part:
            changed = dict(message)
            if "tool_calls" in message:
                changed["tool_calls"] = [
                    {**call, "id": f"{call['id']}.{number}"} for call in message["tool_calls"]
                ]
            if "tool_call_id" in message:
                changed["tool_call_id"] = f"{message['tool_call_id']}.{number}"
            messages.append(changed)
        patch = patches[number] if patches else ""
        stages.append(
            {
                "message_start": start,
                "message_end": len(messages),
                "model_patch": patch,
                "exit_status": "Submitted",
            }
        )
    return attempt(messages, stages=stages, model_patch=stages[-1]["model_patch"])
