"""Every rule takes out what it is for, and nothing takes it out when the rule is off."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from davinci_agency.curate import RULES
from davinci_agency.errors import CommandError
from tests.curate.attempts import turns
from tests.curate.support import (
    Json,
    attempt,
    curate,
    patch,
    prose,
    pull,
    task,
)

Case = tuple[list[Json], list[Json], list[Json], set[str], dict[str, Any]]
"""Pull requests, tasks, attempts, what goes, and options."""

KEY = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"[:36]
ADDRESS = "grace.hopper" + "@" + "navy.mil"


def _opted_out(_: Path) -> Case:
    return [pull(1), pull(2, author_id="ab" * 8)], [], [], {"acme/anvil#2"}, {
        "opted_out": ("ab" * 8,)
    }  # fmt: skip


def _license(_: Path) -> Case:
    return [pull(1), pull(2, license="GPL-3.0-only"), pull(3, license=None)], [], [], {
        "acme/anvil#2", "acme/anvil#3",
    }, {}  # fmt: skip


def _in_benchmark(folder: Path) -> Case:
    tasks = {"acme/anvil": [{"number": 2, "instance_id": "acme__anvil-2"}]}
    listed = {"name": "own", "title": "Own", "source": "here", "as_of": "2026-01-01",
              "published": None, "note": "", "repos": tasks}  # fmt: skip
    path = folder / "own.json"
    path.write_bytes(orjson.dumps(listed))
    asked = [task(pull(1)), task(pull(2)), task(pull(2), pull(3))]
    gone = {"acme/anvil#2", "task-2", "task-2-3"}
    return [pull(1), pull(2)], asked, [], gone, {"deny_lists": (str(path),)}


def _benchmark_text(folder: Path) -> Case:
    path = folder / "bench.jsonl"
    text = prose("a benchmark", 20)
    path.write_bytes(orjson.dumps({"problem_statement": text}))
    return [pull(1), pull(2, body=f"See: {text}.")], [], [], {"acme/anvil#2"}, {
        "benchmarks": (str(path),)
    }  # fmt: skip


def _secrets(_: Path) -> Case:
    spoiled = patch("forge.py", ["    pass"], context=f"TOKEN = '{KEY}'")
    return [pull(1), pull(2, patch=spoiled)], [], [], {"acme/anvil#2"}, {}


def _people(_: Path) -> Case:
    spoiled = patch("forge.py", ["    pass"], context=f"author = '{ADDRESS}'")
    return [pull(1), pull(2, patch=spoiled)], [], [], {"acme/anvil#2"}, {}


def _broken_conversation(_: Path) -> Case:
    broken = attempt("task-1", "b")
    del broken["messages"][2]
    broken["stages"][0]["message_end"] -= 1
    return _of_attempts(broken)


def _of_attempts(*bad: Json, **options: Any) -> Case:
    good = attempt("task-1", "good")
    gone = {each["attempt_id"] for each in bad}
    return [], [task(pull(1))], [good, *bad], gone, options


def _empty_run(_: Path) -> Case:
    said = [{"role": "user", "content": "Mend."}, {"role": "assistant", "content": "I won't."}]
    return _of_attempts(attempt("task-1", "b", messages=said, model_patch=""))


def _truncated(_: Path) -> Case:
    return _of_attempts(attempt("task-1", "b", exit_status="LimitsExceeded"))


def _looping(_: Path) -> Case:
    calls = [(f"cat > forge.py # {prose('loop')}", "ok"), *[("sleep 5", "not ready")] * 9]
    return _of_attempts(attempt("task-1", "b", calls=calls, model_patch=""))


def _peeking(_: Path) -> Case:
    calls = [("git log --all --oneline", prose("peek", 40))]
    return _of_attempts(attempt("task-1", "b", calls=calls, model_patch=""))


def _patch_not_from_messages(_: Path) -> Case:
    lines = [
        f"    quadratic_{side} = interpolate(temperature, {side}, until='{side}noon')"
        for side in ("left", "right", "upper", "lower", "inner", "outer")
    ]
    return _of_attempts(attempt("task-1", "b", model_patch=patch("forge.py", lines)))


def _below_score(_: Path) -> Case:
    return _of_attempts(attempt("task-1", "b", score=0.2), min_score=0.5)


def _too_many_refinements(_: Path) -> Case:
    bad = attempt("task-1", "b", refinements=9)
    return _of_attempts(bad, max_refinements=3)


def _over_context(_: Path) -> Case:
    bad = attempt("task-1", "b", num_tokens=900_000)
    return _of_attempts(bad, max_tokens=100_000)


def _backport(_: Path) -> Case:
    copied = pull(2)["patch"].replace("@@ -1,1 +1,7 @@", "@@ -8,1 +8,7 @@")
    pulls = [pull(1, backport_of=3), pull(2), pull(3), pull(4, patch=copied)]
    return pulls, [], [], {"acme/anvil#1", "acme/anvil#4"}, {}


def _exact_duplicate(_: Path) -> Case:
    again = copy.deepcopy(attempt("task-1", "x"))
    again["attempt_id"] = "attempt-again"
    again["score"] = 0.9
    again["messages"] = [dict(reversed(list(message.items()))) for message in again["messages"]]
    for message in again["messages"]:
        for call in message.get("tool_calls", ()):
            call["id"] = f"other_{call['id']}"
        if "tool_call_id" in message:
            message["tool_call_id"] = f"other_{message['tool_call_id']}"
    return [], [task(pull(1))], [again, attempt("task-1", "x")], {"attempt-again"}, {}


def _differs_in_noise(_: Path) -> Case:
    again = copy.deepcopy(attempt("task-1", "x"))
    again["attempt_id"] = "attempt-again"
    again["score"] = 0.9
    said = again["messages"][-2]
    said["content"] = said["content"].replace("0.31s, see /tmp/abc", "1.7s, see /tmp/xyz")
    return [], [task(pull(1))], [again, attempt("task-1", "x")], {"attempt-again"}, {}


def _near_duplicate(_: Path) -> Case:
    calls = [(f"cat {n}.py", prose(f"file {n}", 60)) for n in range(12)]
    other = [*calls[:-1], ("cat 11.py", prose("another file", 60))]
    best = attempt("task-1", "x", calls=calls, model_patch="")
    near = attempt("task-1", "y", calls=other, model_patch="", score=0.9)
    return [], [task(pull(1))], [near, best], {"attempt-task-1-y"}, {}


def _contained(_: Path) -> Case:
    calls = [(f"cat {n}.py", prose(f"file {n}", 200)) for n in range(12)]
    best = attempt("task-1", "x", calls=calls, model_patch="")
    part = attempt("task-1", "y", calls=calls[:5], model_patch="", score=0.9)
    return [], [task(pull(1))], [part, best], {"attempt-task-1-y"}, {}


def _overlapping_chain(_: Path) -> Case:
    pulls = [pull(number) for number in (1, 2, 3, 4)]
    chains = [task(*pulls[:3]), task(pulls[1], pulls[2]), task(pulls[2], pulls[3])]
    return [], chains, [], {"task-2-3", "task-3-4"}, {}


CASES: dict[str, Callable[[Path], Case]] = {
    "opted-out": _opted_out,
    "license-not-allowed": _license,
    "in-benchmark": _in_benchmark,
    "benchmark-text": _benchmark_text,
    "secrets": _secrets,
    "people": _people,
    "broken-conversation": _broken_conversation,
    "empty-run": _empty_run,
    "truncated": _truncated,
    "looping": _looping,
    "peeking": _peeking,
    "patch-not-from-messages": _patch_not_from_messages,
    "below-score": _below_score,
    "too-many-refinements": _too_many_refinements,
    "over-context": _over_context,
    "backport": _backport,
    "exact-duplicate": _exact_duplicate,
    "differs-in-noise": _differs_in_noise,
    "near-duplicate": _near_duplicate,
    "contained": _contained,
    "overlapping-chain": _overlapping_chain,
}
FOLLOWING = {"pull-left-out", "task-left-out", "joins-splits"}
DUPLICATES = {"exact-duplicate", "differs-in-noise", "near-duplicate", "contained"}
"""Each of these finds what the ones before it find, too."""


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES} == CASES.keys() | FOLLOWING


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_alone_takes_out_what_it_is_for(rule: str, tmp_path: Path) -> None:
    pulls, tasks, attempts, gone, options = CASES[rule](tmp_path)
    out = curate(tmp_path / "x", pulls, tasks, attempts, only=(rule,), **options)
    assert out.gone == dict.fromkeys(gone, rule)
    assert len(out.kept) + len(gone) == len(pulls) + len(tasks) + len(attempts)


@pytest.mark.parametrize("rule", CASES)
def test_all_rules_together_take_out_no_more(rule: str, tmp_path: Path) -> None:
    pulls, tasks, attempts, gone, options = CASES[rule](tmp_path)
    out = curate(tmp_path / "x", pulls, tasks, attempts, **options)
    assert out.gone.keys() == gone
    assert rule in out.gone.values() or rule in DUPLICATES


@pytest.mark.parametrize("rule", CASES)
def test_what_a_rule_takes_out_stays_without_it(rule: str, tmp_path: Path) -> None:
    pulls, tasks, attempts, _, options = CASES[rule](tmp_path)
    off = DUPLICATES | {rule}
    out = curate(tmp_path / "x", pulls, tasks, attempts, off=tuple(off), **options)
    assert out.gone == {}


@pytest.mark.parametrize("rule", sorted(CASES.keys() - {"secrets", "people"}))
def test_a_rule_that_marks_keeps_everything_and_says_so(rule: str, tmp_path: Path) -> None:
    pulls, tasks, attempts, gone, options = CASES[rule](tmp_path)
    out = curate(tmp_path / "x", pulls, tasks, attempts, only=(rule,), mark=(rule,), **options)
    names = dict(zip(out.kept, [*out.pulls, *out.tasks, *out.attempts], strict=True))
    assert out.receipts == []
    assert {name for name, record in names.items() if record["marks"] == [rule]} == gone


def test_what_follows_goes_with_what_it_follows_from(tmp_path: Path) -> None:
    pulls = [pull(1, author_id="ab" * 8), pull(2)]
    tasks = [task(pulls[0]), task(*pulls), task(pulls[1])]
    attempts = [attempt("task-1"), attempt("task-2")]
    out = curate(tmp_path, pulls, tasks, attempts, opted_out=("ab" * 8,))
    assert out.gone == {
        "acme/anvil#1": "opted-out",
        "task-1": "pull-left-out",
        "task-1-2": "pull-left-out",
        "attempt-task-1-a": "task-left-out",
    }


def test_the_receipt_names_what_was_kept_and_how_much_is_shared(tmp_path: Path) -> None:
    pulls, tasks, attempts, _, _ = _near_duplicate(tmp_path)
    out = curate(tmp_path / "x", pulls, tasks, attempts)
    (receipt,) = out.receipts
    assert receipt["kept_id"] == "attempt-task-1-x"
    assert 0.5 < receipt["measure"] < 1
    assert receipt["stage"] == "curate"


def test_of_two_that_say_the_same_the_better_stays_whatever_came_first(tmp_path: Path) -> None:
    pulls, tasks, attempts, _, _ = _contained(tmp_path)
    part, best = attempts
    part["score"], best["score"] = 1.0, 0.1
    for order in ([part, best], [best, part]):
        name = hashlib.sha256(orjson.dumps(order)).hexdigest()
        out = curate(tmp_path / name, pulls, tasks, order)
        assert out.gone == {best["attempt_id"]: "contained"}


def test_a_whole_repository_goes_if_asked(tmp_path: Path) -> None:
    pulls = [pull(999_999, repo="django/django"), pull(1)]
    assert curate(tmp_path / "a", pulls).gone == {}
    out = curate(tmp_path / "b", pulls, whole_repositories=True)
    assert out.gone == {"django/django#999999": "in-benchmark"}


def test_everybodys_words_are_nobodys_contamination(tmp_path: Path) -> None:
    path = tmp_path / "bench.jsonl"
    text = prose("a licence", 20)
    path.write_bytes(orjson.dumps({"problem_statement": text}))
    pulls = [pull(number, body=text) for number in range(1, 6)]
    options: dict[str, Any] = {"benchmarks": (str(path),)}
    assert curate(tmp_path / "a", pulls, most_common=4, **options).gone == {}
    assert len(curate(tmp_path / "b", pulls, most_common=5, **options).gone) == 5


def test_a_second_attempt_is_no_duplicate(tmp_path: Path) -> None:
    shared = [(f"cat {n}.py", prose(f"file {n}", 40)) for n in range(4)]
    runs = [
        attempt("task-1", name, calls=[*shared, *((f"cat {name}{n}.py", prose(f"{name} {n}", 60))
                for n in range(6))], model_patch="")
        for name in ("x", "y")
    ]  # fmt: skip
    assert curate(tmp_path, [], [task(pull(1))], runs).gone == {}


@pytest.mark.parametrize(
    "options",
    [
        {"off": ("no-such-rule",)},
        {"mark": ("task-left-out",)},
        {"mark": ("secrets",)},
        {"off": ("joins-splits",)},
    ],
)
def test_a_rule_that_is_none_or_cannot_be_switched_is_refused(
    options: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(CommandError):
        curate(tmp_path, [pull(1)], **options)


def test_an_attempt_at_no_task_is_set_aside(tmp_path: Path) -> None:
    attempts = [attempt("task-1"), attempt("task-404")]
    out = curate(tmp_path, [], [task(pull(1))], attempts)
    assert (out.summary.read, out.summary.out, out.summary.quarantined) == (3, 2, 1)


def test_prompts_alone_make_no_run(tmp_path: Path) -> None:
    messages = turns()
    out = curate(tmp_path, [], [task(pull(1))],
                 [attempt("task-1", messages=messages, model_patch="")])  # fmt: skip
    assert out.gone == {"attempt-task-1-a": "empty-run"}


def test_a_commit_of_the_branch_may_be_the_one_that_a_benchmark_names(tmp_path: Path) -> None:
    sha = "ab" * 20
    commit = {
        "sha": sha,
        "authored_at": "2024-01-01T00:00:00Z",
        "author_id": "0" * 16,
        "author_kind": "person",
        "message": "Mend it.",
    }
    listed = {"name": "own", "title": "Own", "source": "here", "as_of": "2026-01-01",
              "published": None, "note": "",
              "repos": {"acme/anvil": [{"commit": sha, "instance_id": "one"}]}}  # fmt: skip
    path = tmp_path / "own.json"
    path.write_bytes(orjson.dumps(listed))
    pulls = [pull(1), pull(2, commits=[commit])]
    out = curate(tmp_path / "x", pulls, deny_lists=(str(path),))
    assert out.gone == {"acme/anvil#2": "in-benchmark"}
