"""Bad input is the normal case: a clear error or a quarantined record, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import COMMAND, davinci, environment, tree
from tests.conftest import EXAMPLES
from tests.line.conftest import Line, write_recipe
from tests.samples import read_lines, write_lines


def _quarantine(out: Path) -> list[dict[str, Any]]:
    notes = out.with_name(out.name.removesuffix(".jsonl") + ".quarantine.jsonl")
    return [json.loads(text) for text in notes.read_text().splitlines()]


def _git(*arguments: str | Path) -> None:
    identity = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    subprocess.run(["git", *map(str, arguments)], check=True, env=environment() | identity)


def test_a_folder_that_is_no_repository_is_the_command_s_fault(tmp_path: Path) -> None:
    result = davinci("mine", tmp_path, "--repo", "a/b", "--out", tmp_path / "pulls.jsonl")
    assert result.code == 2
    assert "is not a git repository" in result.stderr
    assert "git clone --mirror" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_there_is_the_command_s_fault(tmp_path: Path) -> None:
    result = davinci("mine", tmp_path / "no", "--repo", "a/b", "--out", tmp_path / "pulls.jsonl")
    assert result.code == 2
    assert "is not a git repository" in result.stderr


def test_an_empty_repository_is_the_data_s_fault(tmp_path: Path) -> None:
    _git("init", "-q", tmp_path / "empty")
    result = davinci("mine", tmp_path / "empty", "--repo", "a/b", "--out", tmp_path / "p.jsonl")
    assert result.code == 1
    assert "has no commit" in result.stderr
    assert not (tmp_path / "p.jsonl").exists()


def test_a_repository_without_pull_requests_says_what_was_looked_for(tmp_path: Path) -> None:
    _git("init", "-q", tmp_path / "r")
    _git("-C", tmp_path / "r", "commit", "-q", "--allow-empty", "-m", "Begin")
    result = davinci("mine", tmp_path / "r", "--repo", "a/b", "--out", tmp_path / "p.jsonl")
    assert result.code == 1
    assert "no merged pull request" in result.stderr
    assert not (tmp_path / "p.jsonl").exists()


def test_a_repository_that_does_not_say_its_name_is_asked_for_it(
    repository: Path, tmp_path: Path
) -> None:
    result = davinci("mine", repository, "--out", tmp_path / "p.jsonl")
    assert result.code == 2
    assert "--repo OWNER/NAME" in result.stderr


@pytest.mark.parametrize(
    ("option", "word"), [("--repo", "no slash"), ("--repo", "a/b/c"), ("--license", "a\nb: c")]
)
def test_a_name_that_no_column_holds_is_refused(
    option: str, word: str, repository: Path, tmp_path: Path
) -> None:
    names = {"--repo": "example/tallybook", option: word}
    options = [part for pair in names.items() for part in pair]
    result = davinci("mine", repository, *options, "--out", tmp_path / "p.jsonl")
    assert result.code == 2
    assert f"mend {option}" in result.stderr


_SIDE_FILES = (".removed.jsonl", ".quarantine.jsonl")

BAD_LINES = {
    "malformed": (b'{"schema_version": 1.0.0}', "not JSON"),
    "truncated": (b'{"schema_version": "1.0.0", "repo": "a', "not JSON"),
    "not-utf-8": (b'{"schema_version": "1.0.0", "repo": "\xff\xfe"}', "not JSON"),
    "lone-surrogate": (rb'{"schema_version": "1.0.0", "repo": "\ud800"}', "not JSON"),
    "nan": (b'{"schema_version": "1.0.0", "number": NaN}', "not JSON"),
    "no-object": (b"[1, 2]", "expected an object"),
    "other-version": (b'{"schema_version": "9.0.0"}', "There is no schema version '9.0.0'"),
    "missing-columns": (b'{"schema_version": "1.0.0"}', "is missing; expected a value"),
}


@pytest.mark.parametrize("name", list(BAD_LINES))
def test_a_bad_line_costs_itself_and_is_pointed_at(
    name: str, line: Line, repository: Path, tmp_path: Path
) -> None:
    bad, reason = BAD_LINES[name]
    good = (line.work / "pulls.example__tallybook.jsonl").read_bytes().splitlines()
    pulls, out = tmp_path / "pulls.jsonl", tmp_path / "chains.jsonl"
    pulls.write_bytes(b"\n".join([*good[:3], bad, *good[3:]]))
    clone = f"example/tallybook={repository}"
    result = davinci("chain", pulls, "--clone", clone, "--out", out, "--json")
    assert result.code == 0, result.stderr
    summary = result.summary
    assert (summary["in"], summary["quarantined"]) == (len(good) + 1, 1)
    assert summary["in"] == summary["out"] + summary["removed"] + summary["quarantined"]
    (note,) = _quarantine(out)
    assert (note["file"], note["line"]) == (str(pulls), 4)
    assert reason in note["reason"]
    assert out.read_bytes() == (line.work / "chains.jsonl").read_bytes()


def test_strict_turns_a_bad_line_into_a_failure(line: Line, tmp_path: Path) -> None:
    pulls, out = tmp_path / "pulls.jsonl", tmp_path / "chains.jsonl"
    pulls.write_bytes((line.work / "pulls.example__tallybook.jsonl").read_bytes() + b"{\n")
    result = davinci("chain", pulls, "--out", out, "--strict")
    assert result.code == 1
    assert "pulls.jsonl:19" in result.stderr
    assert not out.exists()
    assert len(_quarantine(out)) == 1


def test_a_line_of_100_mb_is_passed_over_in_little_memory(line: Line, tmp_path: Path) -> None:
    good = (line.work / "pulls.example__tallybook.jsonl").read_bytes()
    pulls, out = tmp_path / "pulls.jsonl", tmp_path / "chains.jsonl"
    with pulls.open("wb") as file:
        file.write(good + b'{"title": "')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + good)
    limited = ["sh", "-c", 'ulimit -v 1500000; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *COMMAND, "chain", pulls, "--out", out, "--json"],
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["rules"]["exact-copy"] == 18
    (note,) = _quarantine(out)
    assert (note["line"], note["offset"]) == (19, len(good))
    assert "longer than 64 MiB" in note["reason"]


def test_two_records_with_one_id_and_different_content_are_both_set_aside(
    line: Line, tmp_path: Path
) -> None:
    records = [
        json.loads(text)
        for text in (line.work / "pulls.example__tallybook.jsonl").read_text().splitlines()
    ]
    pulls, out = tmp_path / "pulls.jsonl", tmp_path / "chains.jsonl"
    records.append({**records[0], "title": "Something else"})
    pulls.write_text("".join(json.dumps(record) + "\n" for record in records))
    summary = davinci("chain", pulls, "--out", out, "--json").summary
    assert summary["quarantined"] == 2
    assert sorted(note["line"] for note in _quarantine(out)) == [1, len(records)]


def test_the_order_of_lines_and_of_files_changes_nothing(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    texts = (line.work / "pulls.example__tallybook.jsonl").read_text().splitlines(keepends=True)
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text("".join(texts[9:][::-1]))
    second.write_text("".join(texts[:9][::-1]))
    for place, files in enumerate([(first, second), (second, first)]):
        out = tmp_path / f"chains{place}.jsonl"
        clone = f"example/tallybook={repository}"
        assert davinci("chain", *files, "--clone", clone, "--out", out).code == 0
        assert out.read_bytes() == (line.work / "chains.jsonl").read_bytes()


def test_an_attempt_at_an_unknown_task_is_set_aside_by_ingest_and_by_build(
    line: Line, tmp_path: Path
) -> None:
    known = json.loads((line.work / "tasks.jsonl").read_text().splitlines()[0])["task_id"]
    write_lines(
        tmp_path / "runs.jsonl",
        [
            {"task_id": task_id, "messages": [{"role": "assistant", "content": ""}]}
            for task_id in ("task-of-somebody-else", known)
        ],
    )
    out = tmp_path / "attempts.jsonl"
    result = davinci(
        "ingest", tmp_path / "runs.jsonl", "--tasks", line.work / "tasks.jsonl", "--out", out,
        "--json",
    )  # fmt: skip
    assert (result.code, result.summary["quarantined"]) == (0, 1)
    assert "there is no task 'task-of-somebody-else'" in _quarantine(out)[0]["reason"]
    attempts = read_lines(line.work / "attempts.jsonl")
    attempts[0]["task_id"] = "task-of-somebody-else"
    result = davinci(
        "build", "--attempts", write_lines(tmp_path / "a.jsonl", attempts),
        "--tasks", line.work / "tasks.jsonl", "--out", tmp_path / "release", "--json",
    )  # fmt: skip
    assert (result.code, result.summary["in"], result.summary["quarantined"]) == (0, 4, 1)
    assert "there is no task" in _quarantine(tmp_path / "release")[0]["reason"]


def test_files_of_another_record_are_refused_and_not_taken_for_an_empty_dataset(
    line: Line, tmp_path: Path
) -> None:
    result = davinci("chain", line.work / "tasks.jsonl", "--out", tmp_path / "chains.jsonl")
    assert result.code == 1
    assert "None of the 22 records could be used" in result.stderr
    assert len(_quarantine(tmp_path / "chains.jsonl")) == 22
    assert not (tmp_path / "chains.jsonl").exists()


def test_a_run_that_is_asked_to_end_leaves_nothing_half_made(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "chains.jsonl"
    process = subprocess.Popen(
        [*COMMAND, "chain", "-", "--out", out],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    while not (tmp_path / ".chains.jsonl.partial").exists() and process.poll() is None:
        pass
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"Run it again" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_else_is_left_alone(line: Line, tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / "thesis.txt").write_text("three years of work")
    result = davinci("build", "--tasks", line.work / "tasks.jsonl", "--out", release)
    assert result.code == 2
    assert "holds something else" in result.stderr
    assert tree(release) == {"thesis.txt": b"three years of work"}


def test_an_output_that_is_a_folder_or_below_a_file_is_the_command_s_fault(
    line: Line, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path, tmp_path / "file" / "chains.jsonl"):
        result = davinci("chain", line.work / "chains.jsonl", "--out", out)
        assert result.code == 2, result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[dataset",
        '[dataset]\nname = "x"\n',
        '[dataset]\nname = "../x"\n[[source]]\npath = "."\n',
        '[dataset]\nname = "x"\ncolour = "red"\n[[source]]\npath = "."\n',
        '[dataset]\nname = "x"\n[[source]]\npath = "."\n[chain]\nkinds = ["some"]\n',
        '[dataset]\nname = "x"\n[[source]]\npath = "."\n[build]\nthreshold = 2.0\n',
    ],
)
def test_a_recipe_that_says_something_impossible_is_refused_before_anything_runs(
    text: str, tmp_path: Path
) -> None:
    recipe = tmp_path / "dataset.toml"
    recipe.write_text(text)
    result = davinci("run", recipe)
    assert result.code == 2
    assert str(recipe) in result.stderr
    assert list(tmp_path.iterdir()) == [recipe]


def test_one_repository_named_twice_is_refused(repository: Path, tmp_path: Path) -> None:
    line = write_recipe(
        tmp_path,
        repository,
        trajectories=EXAMPLES / "trajectories",
        more=f'[[source]]\npath = "{repository}"\nrepo = "example/tallybook"',
    )
    result = davinci("run", line.recipe)
    assert result.code == 2
    assert "two sources are one repository" in result.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 64 kB, seen only by a process that `_on_small_disk` starts."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare, to mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    probe = subprocess.run(
        [*_on_small_disk(place, "64k"), "true"], capture_output=True, check=False
    )
    if probe.returncode != 0:
        pytest.skip("may not mount a small file system here")
    return place


def _on_small_disk(place: Path, size: str) -> list[str]:
    script = (
        f'mount -t tmpfs -o size={size} tmpfs "$0" && "$@"; code=$?; ls -A "$0" >&2; exit $code'
    )
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(place)]


@pytest.mark.parametrize("stage", ["mine", "chain", "build"])
def test_a_full_disk_is_said_clearly_and_nothing_is_left_on_it(
    stage: str, small_disk: Path, line: Line, repository: Path
) -> None:
    tasks = line.work / "tasks.jsonl"
    arguments = {
        "mine": ["mine", repository, "--repo", "a/b", "--out", small_disk / "p.jsonl"],
        "chain": [
            "chain", line.work / "pulls.example__tallybook.jsonl", "--out", small_disk / "c.jsonl",
        ],
        "build": ["build", "--tasks", tasks, "--out", small_disk / "release"],
    }[stage]  # fmt: skip
    done = subprocess.run(
        [*_on_small_disk(small_disk, "64k"), *COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 2, done.stderr
    message, _, left = done.stderr.partition("run it again.")
    assert "No space left on device" in message
    assert "Traceback" not in done.stderr
    # Receipts and notes are whole, and may have been there before the disk was full.
    assert [name for name in left.split() if not name.endswith(_SIDE_FILES)] == []


def test_two_runs_at_once_do_not_write_over_each_other(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    out = tmp_path / "chains.jsonl"
    fifo = tmp_path / "pulls.jsonl"
    os.mkfifo(fifo)
    first = subprocess.Popen(
        [*COMMAND, "chain", "-", "--clone", f"example/tallybook={repository}", "--out", out],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    while not (tmp_path / ".chains.jsonl.lock").exists() and first.poll() is None:
        pass
    pulls = line.work / "pulls.example__tallybook.jsonl"
    second = davinci("chain", pulls, "--out", out)
    _, said = first.communicate(pulls.read_bytes())
    assert second.code == 2
    assert "Another run is writing" in second.stderr
    assert first.returncode == 0, said.decode()
    assert out.read_bytes() == (line.work / "chains.jsonl").read_bytes()


@pytest.mark.parametrize("command", ["run", "mine", "chain", "query", "ingest", "build", "card",
                                     "validate", "stats", "doctor"])  # fmt: skip
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = davinci(command, "--help")
    assert result.code == 0
    assert f"davinci-agency {command}" in result.stdout


def test_doctor_shows_that_a_token_is_there_and_not_the_token(tmp_path: Path) -> None:
    secret = "hf_" + "x1" * 18
    done = subprocess.run(
        [*COMMAND, "doctor", "--json"],
        capture_output=True,
        text=True,
        env=environment() | {"HF_TOKEN": secret, "GITHUB_TOKEN": secret, "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0
    states = {finding["what"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states["Hub token"] == states["GitHub token"] == "ok"
    assert secret not in done.stdout + done.stderr
