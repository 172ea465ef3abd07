"""What holds for every corpus: nothing is lost, nothing depends on order, and twice is once."""

from __future__ import annotations

import copy
import hashlib
import random
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davinci_agency.conversation import conversation_flaw
from davinci_agency.curate import CurateInputs, CurateOptions, select_samples
from davinci_agency.curate.redaction import redact
from davinci_agency.records import Attempt, PullRequest, Task, from_json
from davinci_agency.secrets import find_secrets
from davinci_agency.secrets.rule import Kind
from davinci_agency.texts import texts_of
from tests.curate.support import Curated, Json, attempt, curate, patch, prose, pull, task

KEY = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
OTHER_KEY = "AK" + "IA" + "Q7XK2M9PZ4LW8RTB"
ADDRESS = "grace.hopper" + "@" + "navy.mil"
HOME = "/home/ghopper/work"

FAULTS = ("none", "none", "copy", "near", "license", "backport", "key", "cut", "loop", "address")


def corpus(seed: int) -> tuple[list[Json], list[Json], list[Json]]:
    """Return a corpus with all kinds of faults, drawn by a seed."""
    source = random.Random(seed)  # noqa: S311
    pulls = [pull(number) for number in range(1, source.randrange(4, 9))]
    for each in list(pulls):
        fault = source.choice(FAULTS)
        if fault == "license":
            each["license"] = source.choice([None, "GPL-3.0-only"])
        elif fault == "backport":
            pulls.append(pull(each["number"] + 100, patch=each["patch"]))
        elif fault == "key":
            each["body"] += f" export TOKEN={KEY} by {ADDRESS}"
        elif fault == "address":
            each["patch"] = patch("forge.py", ["    pass"], context=f"# {ADDRESS} {each['title']}")
    tasks = [task(each) for each in pulls]
    for _ in range(3):
        tasks.append(task(*sorted(source.sample(pulls, 3), key=lambda p: p["merged_at"])))
    tasks = list({each["task_id"]: each for each in tasks}.values())
    attempts: list[Json] = []
    for each in tasks:
        stages = len(each["stages"])
        for name in "ab"[: source.randrange(1, 3)]:
            made = attempt(each["task_id"], name, stages, score=source.choice([0.3, 0.9, None]))
            attempts += [made, *_with_fault(made, source)]
    return pulls, tasks, attempts


def _with_fault(made: Json, source: random.Random) -> list[Json]:
    """Spoil an attempt, or return a copy of it that somebody might take for another."""
    fault = source.choice(FAULTS)
    again = copy.deepcopy(made)
    again["attempt_id"] += "-again"
    if fault == "copy":
        return [again]
    if fault == "near":
        again["messages"][-1]["content"] += " And that was all."
        return [again]
    if fault == "key":
        made["messages"][2]["content"] += f" {KEY} {HOME} {KEY} {ADDRESS}"
    elif fault == "cut":
        made["exit_status"] = "LimitsExceeded"
    elif fault == "loop":
        return [attempt(made["task_id"], "loop", len(made["stages"]), model_patch="",
                        calls=[("sleep 1", "no")] * 8)]  # fmt: skip
    return []


def _in(folder: Path, seed: int, **options: Any) -> Curated:
    return curate(folder, *corpus(seed), **options)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_nothing_is_lost_and_every_loss_has_a_receipt(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = corpus(seed)
        out = curate(Path(folder), *records)
        assert out.summary.read == sum(map(len, records))
        assert out.summary.read == len(out.kept) + len(out.receipts) + out.summary.quarantined
        assert set(out.kept).isdisjoint(out.gone)
        known = {*out.kept, *out.gone}
        kept_ids = {receipt["kept_id"] for receipt in out.receipts} - {None}
        assert kept_ids <= known


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), options=st.sampled_from([{}, {"test": 0.4, "validation": 0.2}]))
def test_curating_twice_changes_nothing(seed: int, options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        once = _in(Path(folder) / "once", seed, **options)
        twice = curate(Path(folder) / "twice", *once.records, **options)
        assert twice.receipts == []
        assert twice.records == once.records


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), order=st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(seed: int, order: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = corpus(seed)
        straight = curate(Path(folder) / "straight", *records, test=0.3)
        for each in records:
            order.shuffle(each)
        mixed = curate(Path(folder) / "mixed", *records, test=0.3)
        for name in ("pulls.jsonl", "tasks.jsonl", "attempts.jsonl", "curation.json"):
            paths = (Path(folder) / which / "curated" / name for which in ("straight", "mixed"))
            assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}) == 1
        assert straight.gone == mixed.gone


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    one, two = _in(tmp_path / "one", 7), _in(tmp_path / "two", 7, workers=2)
    assert (one.records, one.receipts) == (two.records, two.receipts)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_redaction_keeps_records_valid_and_calls_answered(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pulls, tasks, attempts = corpus(seed)
        out = curate(Path(folder), pulls, tasks, attempts, only=("secrets", "people"))
        for kind, records in ((PullRequest, out.pulls), (Task, out.tasks), (Attempt, out.attempts)):
            for record in records:
                from_json(record, kind)
        before = {each["attempt_id"]: each for each in attempts}
        for each in out.attempts:
            old = before[each["attempt_id"]]
            assert conversation_flaw(each["messages"]) == conversation_flaw(old["messages"])
            assert len(each["messages"]) == len(old["messages"])
        text = orjson.dumps(out.records)
        assert not any(word.encode() in text for word in (KEY, ADDRESS, "ghopper"))


@pytest.mark.parametrize("place", ["content", "arguments", "tool", "metadata", "rationale", "key"])
def test_a_secret_goes_wherever_it_stands_in_an_attempt(place: str, tmp_path: Path) -> None:
    made = attempt("task-1")
    if place == "content":
        made["messages"][1]["content"] = f"I use {KEY}."
    elif place == "arguments":
        made["messages"][1]["tool_calls"][0]["function"]["arguments"]["command"] += f" # {KEY}"
    elif place == "tool":
        made["messages"][2]["content"] += f" {KEY}"
    elif place == "metadata":
        made["metadata"] = {"environment": [{"TOKEN": KEY}]}
    elif place == "rationale":
        made["judge"] = {"name": "judge", "rationale": f"{KEY} was printed"}
    else:
        made["metadata"] = {f"by {KEY}": 1}
    (kept,) = curate(tmp_path, [], [task(pull(1))], [made]).attempts
    text = orjson.dumps(kept).decode()
    assert KEY not in text
    assert "<GITHUB_TOKEN_1>" in text


def test_equal_secrets_are_equal_afterwards_and_others_are_not(tmp_path: Path) -> None:
    made = attempt("task-1")
    said = made["messages"]
    said[2]["content"] = f"{KEY} {OTHER_KEY} {prose('x')}"
    said[3]["tool_calls"][0]["function"]["arguments"]["command"] += f" # {OTHER_KEY} {KEY}"
    said[4]["content"] = f"mail {ADDRESS} from /home/ghopper/x"
    (kept,) = curate(tmp_path, [], [task(pull(1))], [made]).attempts
    messages = kept["messages"]
    assert messages[2]["content"].startswith("<GITHUB_TOKEN_1> <AWS_ACCESS_KEY_1> ")
    command = messages[3]["tool_calls"][0]["function"]["arguments"]["command"]
    assert command.endswith("# <AWS_ACCESS_KEY_1> <GITHUB_TOKEN_1>")
    assert messages[4]["content"] == "mail <EMAIL_1> from /home/<HOME_DIRECTORY_1>/x"


def test_a_placeholder_that_is_taken_is_not_given_again(tmp_path: Path) -> None:
    changed = pull(1, body=f"<GITHUB_TOKEN_1> is old, {KEY} is new")
    (kept,) = curate(tmp_path, [changed]).pulls
    assert kept["body"] == "<GITHUB_TOKEN_1> is old, <GITHUB_TOKEN_2> is new"


def test_added_lines_of_a_patch_lose_their_secrets_and_the_patch_applies(tmp_path: Path) -> None:
    changed = pull(1, patch=patch("forge.py", [f"    token = '{KEY}'", "    pass"]))
    (kept,) = curate(tmp_path, [changed]).pulls
    assert kept["patch"] == changed["patch"].replace(KEY, "<GITHUB_TOKEN_1>")


@pytest.mark.parametrize("where", ["context", "removed", "path", "header"])
def test_a_patch_that_needs_its_secret_goes(where: str, tmp_path: Path) -> None:
    whole = patch("forge.py", ["    pass"])
    spoiled = {
        "context": whole.replace("def forge():", f"x = '{KEY}'"),
        "removed": whole.replace(" def forge():", f"-x = '{KEY}'"),
        "path": whole.replace("forge.py", f"{KEY}.py"),
        "header": whole.replace(" @@\n", f" @@ class {KEY}\n"),
    }[where]
    out = curate(tmp_path, [pull(1, patch=spoiled)])
    assert out.gone == {"acme/anvil#1": "secrets"}


def test_logins_become_pseudonyms_in_prose_only(tmp_path: Path) -> None:
    code = patch("forge.py", ["    @octocat", "    def x(): pass"])
    changed = pull(1, body="Thanks @octocat! cc @Octocat", patch=code)
    (kept,) = curate(tmp_path, [changed], logins=True).pulls
    assert kept["body"] == "Thanks @user-88323fe9! cc @user-88323fe9"
    assert kept["patch"] == code


PIECES = (KEY, OTHER_KEY, ADDRESS, HOME, "password=", "--password ", "\"token\": \"", "://u:",
          "k7Rw-plume42", "@db.acme.io", "\\n", " ", "=", "<GITHUB_TOKEN_1>", "é", "x")  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=9))
def test_what_has_grown_together_is_replaced_once_and_for_all(pieces: list[str]) -> None:
    changed = from_json(pull(1, body="".join(pieces)), PullRequest)
    kinds: frozenset[Kind] = frozenset({"secret", "person"})
    once = redact(changed, texts_of, kinds)
    assert find_secrets(once.texts.buffer) == []
    assert redact(once.record, texts_of, kinds).record == once.record


def _twice(
    folder: Path, records: tuple[list[Json], ...], **options: Any
) -> tuple[Curated, Curated]:
    once = curate(folder / "once", *records, **options)
    return once, curate(folder / "twice", *once.records, **options)


def test_withholding_twice_changes_nothing(tmp_path: Path) -> None:
    pulls = [pull(1, license="GPL-3.0-only"), pull(2, license="GPL-3.0-only"), pull(3)]
    tasks = [task(each) for each in pulls]
    for each in tasks:
        each["stages"][0]["query"] = "Mend it."
    once, twice = _twice(tmp_path, (pulls, tasks, []), withhold_patches=True)
    assert [bool(each["withheld"]) for each in once.pulls] == [True, True, False]
    assert (twice.receipts, twice.records) == ([], once.records)


def test_pseudonyms_stay_what_they_are(tmp_path: Path) -> None:
    once, twice = _twice(tmp_path, ([pull(1, body="Thanks @octocat")], [], []), logins=True)
    assert once.pulls[0]["body"] == "Thanks @user-88323fe9"
    assert twice.records == once.records


def test_a_patch_that_only_says_it_was_withheld_goes_out_empty(tmp_path: Path) -> None:
    sha = "0" * 64
    told = {"patch_sha256": sha, "test_patch_sha256": sha}
    out = curate(tmp_path, [pull(1, license="GPL-3.0-only", withheld=told)], withhold_patches=True)
    assert (out.pulls[0]["patch"], out.pulls[0]["withheld"]) == ("", told)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("repo", "tokio-rs7"),
        ("role", "assistant"),
        ("exit", "RateLimitError"),
    ],
)
def test_a_record_stays_a_record_when_a_secret_is_one_of_its_own_words(
    where: str, value: str, tmp_path: Path
) -> None:
    changed = pull(1, repo=f"{value}/anvil", body=f"redis://tom:{value}@db.acme.io")
    made = attempt("task-2")
    made["messages"][2]["content"] += f" redis://tom:{value}@db.acme.io"
    out = curate(tmp_path, [changed], [task(pull(2))], [made])
    for each in out.pulls:
        from_json(each, PullRequest)
        assert each["repo"] == f"{value}/anvil"
    for each in out.attempts:
        assert {message["role"] for message in each["messages"]} <= {"user", "assistant", "tool"}
    assert len(out.kept) + len(out.receipts) == 3


def test_no_receipt_and_no_note_quotes_a_secret(tmp_path: Path) -> None:
    made = attempt("task-1", "b", exit_status=f"RateLimitError: {KEY}")
    broken = attempt("task-1", "c")
    broken["messages"][2]["tool_call_id"] = KEY
    out = curate(tmp_path, [], [task(pull(1))], [attempt("task-1"), made, broken])
    assert len(out.receipts) == 2
    for path in tmp_path.glob("curated*"):
        for file in path.rglob("*") if path.is_dir() else [path]:
            assert KEY not in file.read_text()


def test_a_value_that_stands_twice_under_one_name_is_not_hidden(tmp_path: Path) -> None:
    path = tmp_path / "pulls.jsonl"
    raw = orjson.dumps(pull(1)).replace(b'{"schema', b'{"title":"%s","schema' % KEY.encode(), 1)
    path.write_bytes(raw + b"\n")
    select_samples(CurateInputs((path,)), tmp_path / "out", CurateOptions())
    assert KEY not in (tmp_path / "out" / "pulls.jsonl").read_text()


@pytest.mark.parametrize("key", [ADDRESS, KEY, "two words"])
def test_names_of_keys_are_searched_and_none_is_lost(key: str, tmp_path: Path) -> None:
    made = attempt("task-1", metadata={key: f"by {ADDRESS}", "<EMAIL_1>": 1})
    made["messages"][1][key] = 2
    (kept,) = curate(tmp_path, [], [task(pull(1))], [made]).attempts
    text = orjson.dumps(kept).decode()
    assert ADDRESS not in text
    assert KEY not in text
    assert len(kept["metadata"]) == 2
