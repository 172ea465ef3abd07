"""What URLs name, brought and sent: whole, only what changed, and nothing of anybody else's."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from davinci_agency.curate import CURATION
from davinci_agency.errors import CommandError, OutputError, RemoteError
from davinci_agency.export.exporting import MARKER
from davinci_agency.release import MANIFEST
from davinci_agency.remote import ACCOUNTS, Staging
from davinci_agency.urls import Url
from tests.command import davinci, tree
from tests.publish.support import NAME, make_release, on_hub, publish
from tests.samples import attempt, example, task, write_lines
from tests.servers.hub import TOKEN, Hub


def times(folder: Path) -> dict[Path, int]:
    """Return when each file of a folder was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def inputs(folder: Path) -> tuple[Path, Path]:
    """Write a task, and two attempts at it."""
    folder.mkdir(parents=True)
    attempts = [attempt(f"attempt-{n}", "task-1", score=0.9) for n in (1, 2)]
    return (
        write_lines(folder / "tasks.jsonl", [task("task-1")]),
        write_lines(folder / "attempts.jsonl", attempts),
    )


def test_every_account_of_a_folder_is_known() -> None:
    assert {MANIFEST, CURATION, MARKER} == ACCOUNTS


def test_a_release_by_urls_is_the_release_of_files(tmp_path: Path) -> None:
    tasks, attempts = inputs(tmp_path / "in")
    there, home = tmp_path / "there", {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    build = partial(davinci, "build", env=home)
    arguments = ("--tasks", f"file://{tasks}", "--attempts", f"file://{attempts}")
    done = build(*arguments, "--out", f"file://{there}/release", "--json")
    assert done.code == 0, done.stderr
    sent = times(there)
    again = build(*arguments, "--out", f"file://{there}/release", "--json")
    here = build("--tasks", tasks, "--attempts", attempts, "--out", tmp_path / "here" / "release")
    assert here.code == 0
    hidden = (".release.stamp",)
    of_files = {name: raw for name, raw in tree(tmp_path / "here").items() if name not in hidden}
    assert tree(there) == of_files
    assert again.summary["skipped"] is True
    assert times(there) == sent
    assert davinci("validate", f"file://{there}/release", env=home).code == 0


def test_only_what_changed_is_fetched(tmp_path: Path) -> None:
    folder, staging = tmp_path / "folder", Staging(tmp_path / "here")
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
    url = Url(f"file://{folder}")
    here = staging.fetch(url)
    assert tree(here) == tree(folder)
    before = times(here)
    (folder / "b" / "file").write_text("other")
    shutil.rmtree(folder / "c")
    assert staging.fetch(url) == here
    assert tree(here) == {"a/file": b"a", "b/file": b"other"}
    assert times(here)[here / "a" / "file"] == before[here / "a" / "file"]
    (here / "a" / "file").write_text("spoilt")
    assert tree(staging.fetch(url)) == tree(folder)


class Breaking(LocalFileSystem):  # type: ignore[misc]
    """Files of this machine, of which one can't be written."""

    protocol = "breaking"
    broken = ""

    def put_file(self, lpath: str, rpath: str, **options: object) -> None:
        """Write a file, unless it is the broken one."""
        if self.broken and rpath.endswith(self.broken):
            raise OSError("the line is cut")
        super().put_file(lpath, rpath, **options)


def test_a_folder_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    fsspec.register_implementation("breaking", Breaking, clobber=True)
    there, staging = tmp_path / "there", Staging(tmp_path / "here")
    url = Url(f"breaking://{there}/release")
    made = staging.path(url)
    (made / "data").mkdir(parents=True)
    for name in (MANIFEST, "README.md", "data/one", "data/two"):
        (made / name).write_text("old")
    staging.send(url)
    assert tree(there / "release") == tree(made)
    (made / "data" / "one").unlink()
    (made / "data" / "two").write_text("new")
    Breaking.broken = "two"
    with pytest.raises(RemoteError, match="the line is cut"):
        staging.send(url)
    assert MANIFEST not in tree(there / "release")
    Breaking.broken = ""
    staging.send(url)
    assert tree(there / "release") == tree(made)


def test_what_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").write_text("years of work")
    url = Url(f"file://{tmp_path}/theirs")
    with pytest.raises(OutputError, match="holds something else"):
        Staging(tmp_path / "here").check(url)
    tasks, attempts = inputs(tmp_path / "in")
    done = davinci("build", "--tasks", tasks, "--attempts", attempts, "--out", url.address)
    assert done.code == 2
    assert "holds something else" in done.stderr
    assert tree(tmp_path / "theirs") == {"thesis.tex": b"years of work"}


def test_notes_on_bad_data_are_sent_though_nothing_else_is(tmp_path: Path) -> None:
    pulls = write_lines(tmp_path / "pulls.jsonl", [example("pull-request"), {"no": "record"}])
    out = f"file://{tmp_path}/there/chains.jsonl"
    done = davinci("chain", f"file://{pulls}", "--out", out, "--strict")
    assert done.code == 1
    made = tree(tmp_path / "there")
    assert made["chains.quarantine.jsonl"].count(b"\n") == 1
    assert "chains.jsonl" not in made


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("nothing://bucket/pulls.jsonl", 2, "nothing"),
        ("file:///nowhere/pulls.jsonl", 2, "is not there"),
        ("file:///", 2, "names no file"),
        ("nothing://user:hunter2@host/pulls.jsonl?token=hunter2", 2, "nothing"),
    ],
)
def test_what_cannot_be_had_is_said_without_secrets(
    address: str, code: int, said: str, tmp_path: Path
) -> None:
    done = davinci("chain", address, "--out", tmp_path / "chains.jsonl")
    assert done.code == code, done.stderr
    assert said in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_no_name_leaves_its_folder(tmp_path: Path) -> None:
    class Climbing(LocalFileSystem):  # type: ignore[misc]
        protocol = "climbing"

        def find(self, path: str, **options: object) -> dict[str, object]:
            """Return what a hostile server might."""
            return {f"{path}/../../evil": {"type": "file", "size": 1, "mtime": 1.0}}

    fsspec.register_implementation("climbing", Climbing, clobber=True)
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandError, match="would leave its folder"):
        Staging(tmp_path / "here").fetch(Url(f"climbing://{tmp_path}/folder"))


def test_a_dataset_on_the_hub_is_a_url_too(tmp_path: Path) -> None:
    with Hub(tmp_path / "hub") as hub:
        assert publish(hub, make_release(tmp_path / "one")).code == 0
        url = f"hf://datasets/{NAME}@main"
        assert on_hub(hub, tmp_path, "stats", url).code == 0
        checked = on_hub(hub, tmp_path, "validate", url)
        assert checked.code == 0, checked.stdout
        lost = on_hub(hub, tmp_path, "stats", f"hf://datasets/{NAME}-of-nobody")
    down = on_hub(hub, tmp_path, "stats", url)
    assert (lost.code, down.code) == (2, 3)
    assert TOKEN not in lost.stderr + down.stderr
