"""OpenHands: what the model was shown is what is read, of whatever it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from davinci_agency.conversation import conversation_flaw
from davinci_agency.trajectories import recognise
from davinci_agency.trajectories.rollout import Conversation
from tests.trajectories.sessions import (
    ANSWER,
    COMPLETION,
    EVENT_FILES,
    EVENTS,
    MORE_EVENTS,
    PAIRS,
    ROW,
    SDK_TREE,
)


def read(value: Any, unit: Any) -> Conversation:
    form = recognise(value, unit)
    assert form is not None
    assert form.name == "openhands"
    said = form.read(value)
    assert conversation_flaw(said.messages) is None
    return said


def test_a_stream_says_what_the_model_was_shown() -> None:
    said = read(MORE_EVENTS, "document")
    told = [(turn["role"], turn["content"]) for turn in said.messages]
    assert told == [
        ("user", "Mend it."),
        ("user", "User executed the command:\npwd"),
        ("user", "/project"),
        ("assistant", "Both."),
        ("tool", f"[Below]\n{ANSWER}\n[Done]\n[Current working directory: /project]\n"
                 "[Python interpreter: /usr/bin/python]\n[Command finished with exit code 2]"),
        ("tool", "No such tool.\n[Error occurred in processing last action]"),
        ("user", "Call it otherwise.\n[Error occurred in processing last action]"),
        ("assistant", "Which?"),
        ("user", "This."),
        ("assistant", ""),
        ("tool", "OBSERVATION:\nNo.\n[Last action has been rejected by the user]"),
        ("assistant", "Done."),
    ]  # fmt: skip
    assert [call["id"] for call in said.messages[3]["tool_calls"]] == ["a", "c"]
    assert said.not_carried == {"images": 1, "events that are told twice": 1}


def test_answers_without_an_id_are_told_apart() -> None:
    def acted(number: int, name: str) -> dict[str, Any]:
        answer = {"choices": [{"message": {"content": [{"type": "text", "text": name}]}}]}
        metadata = {"tool_call_id": name, "model_response": answer}
        return {**EVENTS[3], "id": number, "tool_call_metadata": metadata}

    one, two = acted(2, "One."), acted(4, "Two.")
    said = read([EVENTS[1], one, {**EVENTS[1], "id": 3}, two], "document")
    assert [turn["content"] for turn in said.messages[1::2]] == ["One.", "Two."]


def test_an_older_evaluation_holds_pairs_and_what_it_holds_besides_is_counted() -> None:
    said = read(PAIRS, "line")
    assert said.messages == read(MORE_EVENTS, "document").messages
    assert (said.exit_status, said.verdict.resolved) == ("RuntimeError: too many steps", False)
    assert said.metadata == {"agent_class": "CodeActAgent"}
    assert said.not_carried == {
        "images": 1,
        "events that are told twice": 1,
        "settings of the evaluation": 1,
        "parts of the evaluation: metrics": 1,
        "parts of the evaluation: test_output": 1,
    }


def test_the_calls_of_one_answer_are_one_turn_and_the_branch_that_counts_is_the_last() -> None:
    said = read(SDK_TREE, "folder")
    told = [(turn["role"], turn["content"]) for turn in said.messages]
    failed = "[An error occurred during execution.]\n"
    assert told == [
        ("user", "Mend it."),
        ("assistant", "Both."),
        ("tool", "?"),
        ("tool", f"{failed}\n{ANSWER}\n[Command finished with exit code 2]\nA rule."),
        ("assistant", "Done."),
    ]
    assert [call["id"] for call in said.messages[1]["tool_calls"]] == ["a", "c"]
    assert said.not_carried == {
        "events of branches that were given up": 1,
        "events of the program's own: ConversationStateUpdateEvent": 1,
        "last words that nobody answered": 1,
        "counts of tokens": 1,
    }


def test_a_folder_whose_events_name_no_parents_is_one_branch() -> None:
    files = {name: {k: v for k, v in event.items() if k not in ("id", "parent_id")}
             for name, event in SDK_TREE.items() if name.startswith("events/")}  # fmt: skip
    said = read({"base_state.json": {}, **files}, "folder")
    assert "Given up.\nDone." in [turn["content"] for turn in said.messages]
    assert "events of branches that were given up" not in said.not_carried


@pytest.mark.parametrize(
    "names",
    [
        ("openai__m-4.1-1795713925.62.json", "openai__m-4.1-1795713926.5.json"),
        ("m-1795713925.620-bbfc.json", "m-1795713927.288-555a.json"),
    ],
)
def test_completions_are_one_conversation_and_what_the_longest_does_not_hold_is_told(
    names: tuple[str, str],
) -> None:
    asked = COMPLETION["fncall_messages"]
    other = {**COMPLETION, "fncall_messages": [{"role": "user", "content": "Sum it up."}]}
    files = {names[0]: {**COMPLETION, "fncall_messages": asked[:2]}, names[1]: COMPLETION}
    for last, phrase in ((files, "earlier completions, which the longest one holds"),
                         ({**files, names[0]: other}, "completions that the longest one does not "
                          "hold")):  # fmt: skip
        said = read(last, "folder")
        assert said.messages[-1]["content"] == "Done."
        assert said.not_carried == {phrase: 1, "settings and costs of completions": 1}


def test_other_files_with_numbers_are_no_completions() -> None:
    for name in ("m-1.json", "1795713925.62.json", "a/m-1795713925.62.json", "m-179571392.6.json"):
        assert recognise({name: None}, "folder") is None


def test_tools_in_the_sdk_s_own_form_have_no_schema() -> None:
    own = {**COMPLETION, "tools": [{"kind": "TerminalTool", "description": "Run it."}]}
    said = read(own, "document")
    assert said.tools == ()
    assert said.not_carried["schemas of tools, which the format does not hold"] == 1


def test_a_row_keeps_what_else_it_says_and_may_be_a_line() -> None:
    said = read({**ROW, "repo": "owner/name"}, "line")
    assert said.metadata == {"trajectory_id": "t", "repo": "owner/name"}
    assert said.messages == read(ROW, "row").messages


def test_events_go_by_their_numbers() -> None:
    said = read(dict(reversed(EVENT_FILES.items())), "folder")
    assert said.messages == read(EVENTS, "document").messages
