"""What other programs leave: told by its content, as itself alone, and read to the same turns."""

from __future__ import annotations

from typing import Any

import pytest

from davinci_agency.conversation import conversation_flaw
from davinci_agency.trajectories import FORMATS, TrajectoryError, recognise
from davinci_agency.trajectories.rollout import Conversation
from tests.trajectories.sessions import (
    ANSWER,
    ARGUMENTS,
    EVALUATION,
    EVENTS,
    MINI_1,
    PI,
    ROW,
    SDK_FILES,
    SII_DOCUMENT,
    SII_STREAM,
    WITH_TOOLS,
)


def read(value: Any, unit: Any) -> Conversation:
    form = recognise(value, unit)
    assert form is not None
    return form.read(value)


@pytest.mark.parametrize("name", list(WITH_TOOLS))
def test_it_is_known_as_itself_and_its_turns_are_all_there(name: str) -> None:
    expected, unit, value = WITH_TOOLS[name]
    named = {form.name for form in FORMATS if form.unit == unit and form.fits(value)}
    assert named == {expected}
    said = read(value, unit)
    assert said.source_format == expected
    assert conversation_flaw(said.messages) is None
    turns = [turn for turn in said.messages if turn["role"] != "system"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "assistant"]
    assert [turn["content"] for turn in turns] == ["Mend it.", "I look.", ANSWER, "Done."]
    (call,) = turns[1]["tool_calls"]
    assert call["function"]["arguments"] == ARGUMENTS
    assert turns[2]["tool_call_id"] == call["id"]


def test_pi_s_other_branches_are_counted() -> None:
    said = read(PI, "session")
    assert said.not_carried["entries of branches that were given up"] == 1
    assert said.not_carried["entries of the program's own: model_change"] == 1
    assert (said.model, said.exit_status) == ("some-model", "stop")
    assert said.messages[1]["reasoning_content"] == "Hm."


def test_openhands_tells_who_worked_and_what_came_of_it() -> None:
    said = read(EVALUATION, "line")
    assert (said.task_id, said.model) == ("owner__name-1", "some-model")
    assert (said.exit_status, said.patch) == ("finished", "diff --git a/x b/x\n")
    assert said.verdict.resolved is True
    assert said.messages[0] == {"role": "system", "content": "You program."}
    # The call that ended it stays open.
    assert said.messages[-1]["tool_calls"][0]["function"]["name"] == "finish"
    assert said.not_carried == {
        "events of the program's own: recall": 1,
        "events of the program's own: agent_state_changed": 1,
    }
    assert len(said.tools) == 1


def test_a_row_s_padding_is_no_part_of_it() -> None:
    said = read(ROW, "row")
    assert said.messages[0] == {"role": "user", "content": "Mend it."}
    assert said.tools == ({"type": "function", "function": {"name": "bash", "parameters": {}}},)
    assert (said.verdict.resolved, said.exit_status) == (True, "submit")


def test_the_sdk_s_events_go_by_their_numbers_and_calls_are_answered_in_each_way() -> None:
    said = read(dict(reversed(SDK_FILES.items())), "folder")
    assert said.messages[0]["content"] == "You program.\nToday."
    assert (said.model, said.exit_status) == ("some-model", "finished")
    for event, answer in (
        ({"kind": "UserRejectObservation", "rejection_reason": "No."}, "Action rejected: No."),
        ({"kind": "AgentErrorEvent", "error": "No such tool."}, "No such tool."),
    ):
        files = {**SDK_FILES, "events/event-00003-d.json": {**event, "tool_call_id": "a"}}
        assert read(files, "folder").messages[3]["content"] == answer


def test_the_first_mini_swe_agent_knows_no_tools() -> None:
    said = read(MINI_1, "document")
    assert [turn["role"] for turn in said.messages] == [
        "system", "user", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert said.messages[3] == {"role": "user", "content": f"<output>\n{ANSWER}\n</output>"}
    assert not said.tools
    assert (said.patch, said.exit_status) == ("diff --git a/x b/x\n", "Submitted")
    assert said.not_carried == {"words that ended the run": 1}


def test_a_stream_without_the_person_s_words_says_what_is_missing() -> None:
    with pytest.raises(TrajectoryError, match="what the user said is not there"):
        read(SII_STREAM[1:], "session")


def test_a_session_in_which_nobody_answered_says_how_it_ended() -> None:
    info = {"exit_status": "BridgeNotFoundError"}
    value = {**SII_DOCUMENT, "stream": SII_STREAM[:1], "info": info}
    with pytest.raises(TrajectoryError, match="it ended with BridgeNotFoundError"):
        read(value, "document")


def test_a_folder_of_anything_else_is_none() -> None:
    for names in (["package.json"], ["events/a.json"], ["base_state.json"], ["1.json"], []):
        assert recognise(dict.fromkeys(names), "folder") is None
    assert recognise(EVENTS[:1], "document") is not None
