"""How an attempt went: whole, at an end, and without going round in circles; pure.

Every rule is a function of its own. None of them needs another to have passed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Any

import orjson

from davinci_agency.calls import text_of
from davinci_agency.conversation import conversation_flaw, stages_flaw
from davinci_agency.curate.finding import Finding, Run
from davinci_agency.records import AttemptStage, JsonObject
from davinci_agency.schema import cut_short

_LONGEST_CYCLE = 3
_ROUNDS = 5
"""So often a cycle of calls must come in a row. Four is still somebody who looks twice."""
_FEWEST_CALLS = 20
_DIGITS = re.compile(r"\d+")

_CUT = re.compile(
    r"length|max_(?:tokens|turns|steps|iterations)|(?:time|cost|step)_limit|limit_exceeded"
    r"|context_length_exceeded|timeout|timed_out|incomplete|error|aborted|cancell?ed|interrupted"
    r"|killed|early_exit"
)
_EXIT = re.compile(r"\bexit_\w")
"""SWE-agent's words: exit_cost, exit_context, exit_format, also in "submitted (exit_cost)"."""
_EXCEPTION = re.compile(
    r"(?:\w{1,60}\.){0,6}(?:Timeout|[A-Z]\w{0,80}"
    r"(?:Error|Exception|Exceeded|Timeout|Interrupt|Interruption|Abort))\b"
)
_CUT_REASONS = ("length", "max_tokens", "model_length")
_SUBMITS = frozenset({"submit", "finish", "complete", "task_done", "attempt_completion", "done"})
_SUBMITTING_COMMAND = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


def broken_conversation(run: Run) -> Finding | None:
    """Find messages that are no conversation, or stages that are no parts of it.

    Every call of a tool has an id of its own and one answer, before anybody else speaks (only the
    last message may leave calls open); roles and contents are there; the stages follow each other
    inside the messages, are no more than the task has, and leave out nothing that the assistant or
    a tool says.
    """
    messages = run.attempt.messages
    bounds = [(stage.message_start, stage.message_end) for stage in run.attempt.stages]
    flaw = conversation_flaw(messages) or stages_flaw(messages, bounds)
    if flaw is not None:
        return f"{flaw.json_path}: {flaw.reason}", None
    of_task = len(run.task.stages)
    if len(bounds) > of_task:
        return f"it has {len(bounds)} stages and its task {of_task}", float(len(bounds))
    return None


def empty_run(run: Run) -> Finding | None:
    """Find an assistant that does nothing: it calls no tool and changes nothing, or says nothing.

    A command in a fenced block of text counts as a call, and a call or a thought as something said.
    """
    attempt = run.attempt
    patches = (attempt.model_patch, *(stage.model_patch for stage in attempt.stages))
    if not any(patches) and not run.calls:
        return "the assistant calls no tool and changes nothing", None
    if not any(_says(turn) for turn in attempt.messages if turn.get("role") == "assistant"):
        return "the assistant says nothing", None
    return None


def _says(turn: Mapping[str, Any]) -> bool:
    if turn.get("tool_calls"):
        return True
    return any(text_of(turn.get(key)).strip() for key in ("content", "reasoning_content"))


def looping(run: Run) -> Finding | None:
    """Find an assistant that makes the same calls over and over to no effect.

    Either one to three calls (tools and arguments alike) come five times or more in a row with no
    other call between, or one call makes up more than half of twenty calls or more; and the answers
    repeat as well, numbers aside: of the rounds no more than half brought a new answer, of the one
    call's more than half of all calls brought the same answer. So scrolling through a file is none,
    nor is a test that is run again after each change; asking until something is ready is one.

    The measure is the number of rounds, or the call's share.
    """
    made = [(call.name, call.arguments) for call in run.calls]
    for period, start, rounds in _cycles(made):
        answers = _without_numbers(run.answers[start : start + rounds * period])
        new = {tuple(answers[place : place + period]) for place in range(0, len(answers), period)}
        if len(new) * 2 <= rounds:
            what = f"{period} calls" if period > 1 else "one call"
            where = f"$.messages[{run.calls[start].place}]"
            return f"{where}: {what} came {rounds} times in a row", float(rounds)
    return _lopsided(made, run)


def _cycles(made: Sequence[tuple[Any, Any]]) -> Iterator[tuple[int, int, int]]:
    """Yield every run of a cycle that is long enough: its period, its start, its whole rounds."""
    for period in range(1, _LONGEST_CYCLE + 1):
        # One byte a call: is it the one that was made a period before?
        again = bytes(map(eq, made[period:], made))
        wanted = b"\1" * (period * (_ROUNDS - 1))
        start = again.find(wanted)
        while start >= 0:
            end = again.find(b"\0", start)
            end = len(again) if end < 0 else end
            yield period, start, (end - start) // period + 1
            start = again.find(wanted, end)


def _lopsided(made: Sequence[tuple[Any, Any]], run: Run) -> Finding | None:
    if len(made) < _FEWEST_CALLS:
        return None
    candidate, votes = made[0], 0
    for call in made:  # Only what outvotes everything else can be more than half.
        if votes == 0:
            candidate = call
        votes += 1 if call == candidate else -1
    if made.count(candidate) * 2 <= len(made):
        return None
    answers = [answer for answer, call in zip(run.answers, made, strict=True) if call == candidate]
    times = max(Counter(_without_numbers(answers)).values())
    if times * 2 <= len(made):
        return None
    share = times / len(made)
    return f"one call with one answer makes up {share:.0%} of {len(made)} calls", share


def _without_numbers(answers: Sequence[str | None]) -> list[str | None]:
    """Return answers with every number as 0: times and sizes always differ."""
    return [None if answer is None else _DIGITS.sub("0", answer) for answer in answers]


def truncated(run: Run) -> Finding | None:
    """Find a run that was cut before its end.

    That is so if the exit status of the run or of a stage says it (a limit, a word such as
    SWE-agent's ``exit_cost``, the name of an exception); if the last reply of a stage was cut by
    its length; if the task has more stages, or the assistant doesn't speak in one; or if the last
    word is not the assistant's, or leaves a call open, unless the run was submitted: then the last
    call may be open, or its answer the end. An attempt without any exit status counts as submitted
    if its last call is one that submits.
    """
    attempt, stages = run.attempt, len(run.task.stages)
    statuses = (attempt.exit_status, *(stage.exit_status for stage in attempt.stages))
    for status in filter(None, statuses):
        if _says_cut(status):
            return f"it ended with {cut_short(status)}", None
    if len(attempt.stages) < stages:
        what = f"it has {len(attempt.stages)} of {stages} stages"
        return what, float(len(attempt.stages))
    for number, stage in enumerate(attempt.stages, start=1):
        last = _last_reply(attempt.messages, stage)
        if last is None:
            return f"the assistant doesn't speak in stage {number}", None
        if last.get("finish_reason") in _CUT_REASONS or last.get("stop_reason") in _CUT_REASONS:
            return f"the last reply of stage {number} was cut by its length", None
    return _open_end(run)


def _says_cut(status: str) -> bool:
    word = status.strip()[:200]
    plain = word.lower().replace("-", "_").replace(" ", "_")
    return bool(_CUT.fullmatch(plain) or _EXIT.search(plain) or _EXCEPTION.match(word))


def _last_reply(messages: Sequence[JsonObject], stage: AttemptStage) -> JsonObject | None:
    part = messages[stage.message_start : stage.message_end]
    return next((turn for turn in reversed(part) if turn.get("role") == "assistant"), None)


def _open_end(run: Run) -> Finding | None:
    messages = run.attempt.messages
    last = messages[-1]
    ends_open = bool(last.get("tool_calls"))
    if last.get("role") == "assistant" and not ends_open:
        return None
    if _is_submitted(run):
        return None
    what = "a call is left open" if ends_open else "the last word is not the assistant's"
    return f"$.messages[{len(messages) - 1}]: {what}, and nothing was submitted", None


def _is_submitted(run: Run) -> bool:
    status = run.attempt.exit_status
    if status is not None:
        return status.strip().lower().startswith(("submitted", "finish", "complete"))
    if not run.calls:
        return False
    last = run.calls[-1]
    command = last.arguments.get("command") if isinstance(last.arguments, dict) else None
    return last.name in _SUBMITS or _SUBMITTING_COMMAND in str(command)


def below_score(run: Run) -> Finding | None:
    """Find an attempt that was judged to be worse than is asked for; the measure is its score.

    One that nobody judged is below nothing: it may be judged later, and `build` refuses it anyway.
    """
    score, least = run.attempt.score, run.limits.min_score
    if least is None or score is None or score >= least:
        return None
    return f"its score is {score:g}; at least {least:g} is asked for", score


def too_many_refinements(run: Run) -> Finding | None:
    """Find an agent that was sent back too often; the measure says how often."""
    times, most = run.attempt.refinements, run.limits.max_refinements
    if most is None or times <= most:
        return None
    return f"the agent was sent back {times} times; {most} are allowed", float(times)


def over_context(run: Run) -> Finding | None:
    """Find a conversation that is too long; the measure is its length in tokens.

    Where nobody counted them, a quarter of the bytes of its messages as JSON is taken, and the
    reason says so.
    """
    most = run.limits.max_tokens
    if most is None:
        return None
    counted = run.attempt.num_tokens
    tokens = counted if counted is not None else len(orjson.dumps(run.attempt.messages)) // 4
    if tokens <= most:
        return None
    how = "" if counted is not None else ", estimated as a quarter of its bytes"
    return f"it is {tokens} tokens long{how}; {most} are allowed", float(tokens)
