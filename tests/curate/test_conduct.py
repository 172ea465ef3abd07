"""How an attempt went, rule by rule: what each finds, and what only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from davinci_agency.curate import conduct
from davinci_agency.curate.finding import Finding, Limits, Run
from davinci_agency.curate.trajectories import ATTEMPT_RULES
from davinci_agency.records import Attempt
from tests.curate.attempts import Message, attempt, staged, task, turns


def test_a_run_that_went_well_breaks_no_rule() -> None:
    went_well = attempt(turns("ls", "cat a.py", "python -m unittest"), score=0.9, refinements=1)
    run = Run(went_well, task(), Limits(min_score=0.8, max_refinements=3, max_tokens=10_000))
    assert not any(rule(run) for rule in ATTEMPT_RULES.values())


# broken-conversation


def broken(messages: list[Message], **changes: Any) -> str | None:
    finding = conduct.broken_conversation(Run(attempt(messages, **changes), task()))
    return None if finding is None else finding[0]


def _unanswered(messages: list[Message]) -> None:
    del messages[2]


def _answered_twice(messages: list[Message]) -> None:
    messages.insert(3, dict(messages[2]))


def _answered_before(messages: list[Message]) -> None:
    messages[1], messages[2] = messages[2], messages[1]


def _same_id(messages: list[Message]) -> None:
    messages[3]["tool_calls"][0]["id"] = messages[4]["tool_call_id"] = "call_0"


def _no_name(messages: list[Message]) -> None:
    del messages[1]["tool_calls"][0]["function"]["name"]


def _text_arguments(messages: list[Message]) -> None:
    messages[1]["tool_calls"][0]["function"]["arguments"] = "{}"


def _odd_calls(messages: list[Message]) -> None:
    messages[1]["tool_calls"] = {"id": "call_0"}


def _silent(messages: list[Message]) -> None:
    del messages[1:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_unanswered, "$.messages[1].tool_calls[0]: the call is not answered before the next turn"),
        (_answered_twice, '$.messages[3].tool_call_id: "call_0" answers no open call'),
        (_answered_before, '$.messages[1].tool_call_id: "call_0" answers no open call'),
        (_same_id, '$.messages[3].tool_calls[0].id: "call_0" is used twice'),
        (_no_name, "$.messages[1].tool_calls[0].function: the call names no function"),
        (_text_arguments, "$.messages[1].tool_calls[0].function.arguments: the arguments are no "
                          "JSON object"),
        (_odd_calls, "$.messages[1].tool_calls: the calls of tools are no list"),
        (_silent, "$.messages: the assistant never speaks"),
    ],
)  # fmt: skip
def test_a_broken_conversation_says_where(
    change: Callable[[list[Message]], None], reason: str
) -> None:
    messages = turns("ls", "cat a.py")
    assert broken(messages) is None
    change(messages)
    assert broken(messages) == reason


def test_the_call_that_submits_may_stay_open_and_answers_may_change_places() -> None:
    messages = turns("ls", "submit")[:-2]
    assert broken(messages) is None
    both = turns("ls", "cat a.py")
    both[1]["tool_calls"] += both.pop(3)["tool_calls"]
    both[2], both[3] = both[3], both[2]
    assert broken(both) is None


@pytest.mark.parametrize(
    ("bounds", "is_broken"),
    [
        ([(0, 3), (3, 6)], False),
        ([(1, 3), (4, 6)], False),  # what opens a stage may stand before it
        ([(0, 4), (3, 6)], True),
        ([(3, 6), (0, 3)], True),
        ([(0, 3), (3, 7)], True),
        ([(0, 3), (3, 3)], True),
        ([(0, 2), (3, 6)], True),
        ([(0, 3), (3, 5)], True),
        ([(0, 2), (2, 3), (3, 6)], True),  # a stage more than the task has
    ],
)
def test_stages_follow_each_other_inside_the_messages(
    bounds: list[tuple[int, int]], is_broken: bool
) -> None:
    says = [{"role": role, "content": "x"} for role in ("user", "assistant", "assistant") * 2]
    stages = [
        {"message_start": start, "message_end": end, "model_patch": "", "exit_status": None}
        for start, end in bounds
    ]
    finding = conduct.broken_conversation(Run(attempt(says, stages=stages), task(2)))
    assert (finding is not None) is is_broken


# empty-run


def empty(messages: list[Message], **changes: Any) -> Finding | None:
    return conduct.empty_run(Run(attempt(messages, **changes), task()))


def test_a_run_without_a_call_and_a_patch_is_empty() -> None:
    assert empty(turns()) == ("the assistant calls no tool and changes nothing", None)
    assert empty(turns("ls")) is None
    assert empty(turns(), model_patch="diff --git a/a b/a\n") is None
    assert empty([*turns(), {"role": "assistant", "content": "```bash\nls\n```"}]) is None


def test_a_patch_of_any_stage_is_something() -> None:
    run = staged(turns(), turns(), patches=("diff --git a/a b/a\n", ""))
    assert conduct.empty_run(Run(run, task(2))) is None


def test_an_assistant_that_says_nothing_is_empty_whatever_the_patch() -> None:
    silent = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": " \n"}]
    assert empty(silent, model_patch="diff --git a/a b/a\n") == ("the assistant says nothing", None)
    thinks = [*silent, {"role": "assistant", "content": "", "reasoning_content": "Hm."}]
    assert empty(thinks, model_patch="diff --git a/a b/a\n") is None


# looping


def looping(*calls: Any, tool: str = "bash") -> Finding | None:
    return conduct.looping(Run(attempt(turns(*calls, tool=tool)), task()))


@pytest.mark.parametrize(
    ("calls", "reason", "rounds"),
    [
        (["ls"] * 5, "one call came 5 times in a row", 5),
        (["a", "b", *["ls"] * 7, "c"], "one call came 7 times in a row", 7),
        (["a", "b"] * 5, "2 calls came 5 times in a row", 5),
        (["a", "b", "c"] * 6, "3 calls came 6 times in a row", 6),
        ([("curl :80", f"tried {n} times, not ready") for n in range(9)],
         "one call came 9 times in a row", 9),
        ([({"a": 1, "b": [2]}, "x"), ({"b": [2], "a": 1}, "x")] * 3,
         "one call came 6 times in a row", 6),
    ],
)  # fmt: skip
def test_the_same_calls_over_and_over_are_a_loop(
    calls: list[Any], reason: str, rounds: int
) -> None:
    finding = looping(*calls)
    assert finding is not None
    assert finding[0].endswith(reason)
    assert finding[1] == rounds


@pytest.mark.parametrize(
    "calls",
    [
        ["ls"] * 4,
        ["a", "b"] * 4,
        ["a", "b", "c", "d"] * 6,
        [call for n in range(9) for call in (f"edit {n}", "pytest")],
        [("scroll_down", "page " + "abcdefghi"[n] * 9) for n in range(9)],
        [("tail build.log", "compiled " + "abcdefghi"[n]) for n in range(9)],
        [({"command": "view", "range": [n, n + 9]}, "x") for n in range(9)],
    ],
)
def test_what_gets_on_is_no_loop(calls: list[Any]) -> None:
    assert looping(*calls) is None


def test_a_scroll_that_has_come_to_the_end_is_a_loop() -> None:
    pages = [("scroll_down", "page " + letter) for letter in "abc"]
    assert looping(*pages) is None
    assert looping(*pages, *[("scroll_down", "end of file")] * 7) is not None


def test_one_call_that_is_more_than_half_of_all_is_a_loop() -> None:
    mixed = [("pytest", "1 failed in 2 s"), ("pytest", "1 failed in 3 s"), ("edit", "ok")]
    calls = [(f"{c} {n}" if c == "edit" else c, a) for n in range(7) for c, a in mixed]
    finding = looping(*calls)
    assert finding is not None
    assert finding == ("one call with one answer makes up 67% of 21 calls", 14 / 21)
    assert looping(*calls[:18]) is None
    passing = [(c, f"{a} at {'abcdefghijklmnopqrstu'[n]}") for n, (c, a) in enumerate(calls)]
    assert looping(*passing) is None


def test_commands_in_text_loop_as_well() -> None:
    says = {"role": "assistant", "content": "Again.\n```bash\nls\n```"}
    hears = {"role": "user", "content": "a.py"}
    assert conduct.looping(Run(attempt([hears, *[says, hears] * 5]), task())) is not None
    assert conduct.looping(Run(attempt([hears, *[says, hears] * 4]), task())) is None


def test_many_calls_at_once_are_read_to_their_end() -> None:
    calls = turns(*["ls"] * 5_000)
    at_once = [calls[0], {**calls[1], "tool_calls": [m["tool_calls"][0] for m in calls[1:-1:2]]}]
    run = attempt([*at_once, *calls[2:-1:2], calls[-1]])
    finding = conduct.looping(Run(run, task()))
    assert finding is not None
    assert finding[1] == 5_000


def test_many_cycles_that_get_on_are_read_to_their_end() -> None:
    letters = "abcde"
    assert looping(*[(f"poll {n}", f"at {a}") for n in range(2_000) for a in letters]) is None


# truncated


def truncated(run: Attempt, stages: int = 1) -> str | None:
    finding = conduct.truncated(Run(run, task(stages)))
    return None if finding is None else finding[0]


@pytest.mark.parametrize(
    "status",
    [
        "LimitsExceeded", "TimeExceeded", "RepeatedFormatError", "ContextWindowExceededError",
        "litellm.exceptions.RateLimitError", "IndexError", "TimeoutError: no answer", "Timeout",
        "KeyboardInterrupt", "AgentStuckInLoopError: stuck", "exit_cost", "exit_context",
        "exit_format", "submitted (exit_cost)", "length", "max_tokens", "max-turns", "timeout",
        "Error", "aborted", "early_exit",
    ],
)  # fmt: skip
def test_a_status_that_says_cut_is_found(status: str) -> None:
    assert truncated(attempt(turns("ls"), exit_status=status)) == f'it ended with "{status}"'


@pytest.mark.parametrize(
    "status",
    [None, "Submitted", "submitted", "finished", "completed", "success", "stop", "end_turn",
     "resolved", "unresolved", "no errors", "ErrorsFixed", "tool_calls", "FINISHED"],
)  # fmt: skip
def test_any_other_status_is_an_end(status: str | None) -> None:
    assert truncated(attempt(turns("ls"), exit_status=status)) is None


def test_a_status_of_any_stage_counts() -> None:
    run = staged(turns("ls"), turns("ls"))
    assert truncated(run, 2) is None
    cut = attempt(
        list(run.messages),
        stages=[
            {"message_start": 0, "message_end": 4, "model_patch": "", "exit_status": "exit_cost"},
            {"message_start": 4, "message_end": 8, "model_patch": "", "exit_status": "Submitted"},
        ],
    )
    assert truncated(cut, 2) == 'it ended with "exit_cost"'


def test_a_stage_that_is_not_there_or_silent_is_found() -> None:
    assert truncated(staged(turns("ls")), 2) == "it has 1 of 2 stages"
    silent = staged(turns("ls"), [{"role": "user", "content": "And now?"}])
    assert truncated(silent, 2) == "the assistant doesn't speak in stage 2"


@pytest.mark.parametrize("key", ["finish_reason", "stop_reason"])
def test_a_last_reply_that_was_cut_by_its_length_is_found(key: str) -> None:
    messages = turns("ls")
    messages[1][key] = "length"
    assert truncated(attempt(messages)) is None
    messages[-1][key] = "length"
    assert truncated(attempt(messages)) == "the last reply of stage 1 was cut by its length"


def test_a_run_must_end_with_the_assistant_unless_it_was_submitted() -> None:
    answered, opened = turns("ls")[:-1], turns("ls")[:-2]
    for status, is_cut in (("Submitted", False), (None, True), ("stop", True)):
        assert (truncated(attempt(answered, exit_status=status)) is not None) is is_cut
        assert (truncated(attempt(opened, exit_status=status)) is not None) is is_cut


@pytest.mark.parametrize(
    ("tool", "command"),
    [("submit", {}), ("finish", {}), ("bash", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")],
)
def test_a_call_that_submits_is_an_end_where_no_status_says_otherwise(
    tool: str, command: Any
) -> None:
    for end in (-1, -2):
        messages = turns((command, "Thank you."), tool=tool)[:end]
        assert truncated(attempt(messages, exit_status=None)) is None


# limits


@pytest.mark.parametrize(
    ("score", "least", "is_below"),
    [
        (0.79, 0.8, True),
        (0.8, 0.8, False),
        (0.0, 0.1, True),
        (0.1, None, False),
        (None, 0.8, False),
    ],
)
def test_a_score_below_the_least_is_found_and_none_is_below_nothing(
    score: float | None, least: float | None, is_below: bool
) -> None:
    run = attempt(turns("ls"), score=score)
    finding = conduct.below_score(Run(run, task(), Limits(min_score=least)))
    assert (finding is not None) is is_below
    assert finding is None or finding[1] == score


@pytest.mark.parametrize(("most", "is_more"), [(2, True), (3, False), (None, False)])
def test_more_refinements_than_are_allowed_are_found(most: int | None, is_more: bool) -> None:
    run = attempt(turns("ls"), refinements=3)
    finding = conduct.too_many_refinements(Run(run, task(), Limits(max_refinements=most)))
    assert (finding is not None) is is_more
    assert finding is None or finding[1] == 3


def test_a_conversation_is_measured_by_its_tokens_and_else_by_its_bytes() -> None:
    counted = attempt(turns("ls"), num_tokens=101)
    assert conduct.over_context(Run(counted, task(), Limits(max_tokens=101))) is None
    assert conduct.over_context(Run(counted, task())) is None
    assert conduct.over_context(Run(counted, task(), Limits(max_tokens=100))) == (
        "it is 101 tokens long; 100 are allowed", 101.0,
    )  # fmt: skip
    # An umlaut has two bytes, so that a thousand are some five hundred tokens.
    uncounted = attempt([{"role": "assistant", "content": "ü" * 1_000}])
    assert conduct.over_context(Run(uncounted, task(), Limits(max_tokens=520))) is None
    finding = conduct.over_context(Run(uncounted, task(), Limits(max_tokens=500)))
    assert finding is not None
    assert "estimated" in finding[0]
