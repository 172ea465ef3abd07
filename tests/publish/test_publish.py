"""Publishing, seen from the Hub: one commit, one tag, and nothing without having passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from davinci_agency.publish.script import columns_module
from davinci_agency.release import read_manifest
from davinci_agency.schema import schema_files
from davinci_agency.shipped import shipped
from tests.command import davinci
from tests.publish.support import (
    NAME,
    commits,
    hub_environment,
    make_release,
    on_hub,
    publish,
    shown,
    tags,
)
from tests.samples import example
from tests.servers.hub import READER, Hub

SECRET = "ghp_" + "a1B2" * 9
"""Has the form of a GitHub token, and opens nothing."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return make_release(tmp_path / "one")


def test_a_first_release_is_one_commit_and_one_tag(hub: Hub, release: Path) -> None:
    done = publish(hub, release)
    assert done.code == 0, done.stderr
    assert done.summary["tag"] == "v1.0.0"
    assert done.summary["rows"] == {
        "single-pr": 3, "tasks": 3, "attempts": 3, "pull-requests": 1,
    }  # fmt: skip
    assert commits(hub) == ["Publish v1.0.0", "initial commit"]
    assert list(tags(hub)) == ["v1.0.0"]
    files = shown(hub)
    assert set(files) == {
        *(shard.path for shard in read_manifest(release).shards),
        "README.md",
        "manifest.json",
        "CHANGELOG.md",
        *(f"schemas/{path}" for path in schema_files("1.0.0")),
        *(f"plots/{path.name}" for path in (release / "plots").iterdir()),
    }
    assert b'load_dataset("org/tally", "single-pr"' in files["README.md"]
    assert b"## v1.0.0" in files["CHANGELOG.md"]


def test_the_script_for_old_clients_is_on_a_branch_without_data(hub: Hub, release: Path) -> None:
    publish(hub, release)
    git = hub.datasets[NAME].git
    head = git.resolve("script")
    assert git.refs("refs/tags")["script-v1.0.0"] == head
    files = {entry.path for entry in git.entries(str(head))} - {".gitattributes"}
    assert files == {"tally.py", "columns.py", "README.md"}
    entry = git.entry(str(head), "columns.py")
    assert entry is not None
    module: dict[str, Any] = {}
    exec(git.read(entry.oid), module)  # noqa: S102 - we have just written it
    assert (module["REPOSITORY"], module["VERSION"]) == (NAME, "1.0.0")
    assert set(module["SHARDS"]) == {"single-pr", "tasks", "attempts", "pull-requests"}


def test_the_script_in_the_folder_has_the_columns_of_the_schemas() -> None:
    assert (shipped("loading_script") / "columns.py").read_text() == columns_module()


def test_the_same_release_again_changes_nothing(hub: Hub, release: Path) -> None:
    publish(hub, release)
    before = hub.datasets[NAME].git.refs("refs")
    hub.forget()
    done = publish(hub, release)
    assert done.code == 0
    assert done.summary["version"] == "1.0.0"
    assert hub.datasets[NAME].git.refs("refs") == before
    assert not [each for each in hub.requests if "/commit/" in each.path or each.method == "PUT"]


def test_a_dry_run_only_looks(hub: Hub, release: Path) -> None:
    done = publish(hub, release, "--dry-run")
    assert done.code == 0
    plan = orjson.loads(done.stdout.splitlines()[0])["plan"]
    assert plan["version"] == "1.0.0"
    assert "manifest.json" in plan["new"]
    assert hub.datasets == {}


def test_a_changed_release_sends_what_changed_and_deletes_what_is_gone(
    hub: Hub, release: Path, tmp_path: Path
) -> None:
    publish(hub, release)
    hub.forget()
    done = publish(hub, make_release(tmp_path / "two", 4))
    assert done.summary["version"] == "1.1.0"
    changelog = shown(hub)["CHANGELOG.md"].decode()
    assert changelog.index("## v1.1.0") < changelog.index("## v1.0.0")
    assert "`tasks`: 4 rows, +1" in changelog
    sent = [each.path for each in hub.requests if each.method == "PUT"]
    assert len(sent) == 3, "the shard of pull requests is the same"
    assert list(tags(hub)) == ["v1.0.0", "v1.1.0"]


def test_a_config_that_goes_away_is_a_major_change(hub: Hub, release: Path, tmp_path: Path) -> None:
    publish(hub, release)
    done = publish(hub, make_release(tmp_path / "two", 0))
    assert done.summary["version"] == "2.0.0"
    assert not [path for path in shown(hub) if path.startswith("tasks/")]


def test_a_version_can_be_chosen_but_not_too_small(hub: Hub, release: Path, tmp_path: Path) -> None:
    assert publish(hub, release, "--tag", "v1.5.0").summary["tag"] == "v1.5.0"
    other = make_release(tmp_path / "two", 4)
    for tag, why in (
        ("v1.5.0", "there is 1.5.0 already"),
        ("v1.4.0", "there is 1.5.0 already"),
        ("v1.5.1", "says too little"),
        ("1.6", "is no version"),
    ):
        done = publish(hub, other, "--tag", tag)
        assert done.code in (1, 2)
        assert why in done.stderr
    assert publish(hub, other, "--tag", "v1.7.0").summary["tag"] == "v1.7.0"


def _edit_card(release: Path) -> None:
    (release / "README.md").write_text("# Ten million rows\n")


def _damage(release: Path) -> None:
    path = next(release.glob("tasks/*.parquet"))
    pq.write_table(pq.read_table(path), path)


def _add_file(release: Path) -> None:
    (release / "notes.txt").write_text("x")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_edit_card, "the card is not what the shards say"),
        (_damage, "its digest differs"),
        (_add_file, "notes.txt is there, but the manifest does not name it"),
    ],
)
def test_a_release_that_is_not_what_it_says_stays_here(
    hub: Hub, release: Path, change: Any, why: str
) -> None:
    change(release)
    done = publish(hub, release)
    assert done.code == 1
    assert why in done.stderr
    assert hub.datasets == {}


def test_a_secret_and_a_foreign_licence_keep_a_release_back(hub: Hub, tmp_path: Path) -> None:
    pulls = [
        example("pull-request", body=f"use {SECRET} for it"),
        example("pull-request", number=2, license="GPL-3.0-only"),
        example("pull-request", number=3, license=None),
    ]
    release = make_release(tmp_path / "one", pulls=pulls)
    done = publish(hub, release)
    assert done.code == 1
    assert ": $.body holds what looks like a github-token" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "1 rows under the licence GPL-3.0-only" in done.stderr
    assert "--allow-license unknown" in done.stderr
    assert hub.datasets == {}


def test_a_licence_can_be_allowed(hub: Hub, tmp_path: Path) -> None:
    pulls = [example("pull-request", license="GPL-3.0-only OR Apache-2.0"),
             example("pull-request", number=2, license="EUPL-1.2")]  # fmt: skip
    release = make_release(tmp_path / "one", pulls=pulls)
    assert "EUPL-1.2" in publish(hub, release).stderr
    assert publish(hub, release, "--allow-license", "EUPL-1.2").code == 0


def test_a_change_by_somebody_else_is_told_and_nothing_is_mixed(
    hub: Hub, release: Path, tmp_path: Path
) -> None:
    publish(hub, release)
    git = hub.datasets[NAME].git

    def interfere(request: Any) -> None:
        if "/preupload/" in request.path and "hello.txt" not in shown(hub):
            git.commit("refs/heads/main", git.resolve("main"), "hello", {"hello.txt": b"hi"})

    hub.hook = interfere
    done = publish(hub, make_release(tmp_path / "two", 4))
    assert done.code == 3
    assert "changed by somebody else" in done.stderr
    assert commits(hub)[0] == "hello"
    assert list(tags(hub)) == ["v1.0.0"]


def test_a_pull_request_is_opened_and_tagged_once_it_is_merged(hub: Hub, release: Path) -> None:
    assert publish(hub, release, "--dry-run").code == 0
    hub.create(NAME)
    done = publish(hub, release, "--create-pr")
    assert done.summary["pull_request"].endswith("/discussions/1")
    assert shown(hub) == {}
    git = hub.datasets[NAME].git
    git.move("refs/heads/main", str(git.resolve("refs/pr/1")))
    assert publish(hub, release).summary["tag"] == "v1.0.0"
    assert len(commits(hub)) == 2


def test_a_branch_of_its_own_gets_no_tag(hub: Hub, release: Path) -> None:
    hub.create(NAME)
    done = publish(hub, release, "--branch", "trial")
    assert (done.code, done.summary["tag"]) == (0, None)
    assert shown(hub) == {}
    assert commits(hub, "trial")[0] == "Publish v1.0.0"


def test_without_the_right_to_write_it_says_what_to_do(hub: Hub, release: Path) -> None:
    for token in (READER, "wrong"):
        done = publish(hub, release, token=token)
        assert done.code == 3
        assert "hf auth login" in done.stderr
        assert token not in done.stderr + done.stdout


@pytest.mark.parametrize("name", ["tally", "a/b/c", "org/ta lly", "org/", "../x", "org/.."])
def test_a_name_that_can_be_no_dataset_is_refused(hub: Hub, release: Path, name: str) -> None:
    done = on_hub(hub, release.parent, "publish", release, name, "--yes")
    assert (done.code, hub.requests) == (2, [])
    assert "name it ORG/NAME" in done.stderr


@pytest.mark.parametrize("branch", ["../x", "a..b", "-x", "a b", ""])
def test_a_name_that_can_be_no_branch_is_refused(hub: Hub, release: Path, branch: str) -> None:
    done = publish(hub, release, f"--branch={branch}")
    assert (done.code, hub.requests) == (2, [])
    assert "is no name for a branch" in done.stderr


def test_an_address_where_nobody_answers_is_told(hub: Hub, release: Path) -> None:
    environment = {**hub_environment(hub, release.parent), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = davinci("publish", release, NAME, "--yes", env=environment)
    assert done.code == 3
    assert "can't be reached" in done.stderr


def test_a_tag_never_moves(hub: Hub, release: Path, tmp_path: Path) -> None:
    publish(hub, release)
    git = hub.datasets[NAME].git
    first = git.log(str(git.resolve("main")))[-1].oid
    git.move("refs/tags/v1.1.0-note", first)
    hub.hook = lambda request: (
        git.move("refs/tags/v1.1.0", first) if "/commit/" in request.path else None
    )
    done = publish(hub, make_release(tmp_path / "two", 4))
    assert done.code == 3
    assert "tags never move" in done.stderr
    assert tags(hub)["v1.1.0"] == first


def test_verify_tells_what_is_not_whole(hub: Hub, release: Path) -> None:
    publish(hub, release)
    assert on_hub(hub, release.parent, "verify", f"{NAME}@v1.0.0", "--json").code == 0
    git = hub.datasets[NAME].git
    entry = next(each for each in git.entries(str(git.resolve("main"))) if each.pointer)
    assert entry.pointer is not None
    wrong = replace(entry.pointer, sha256="0" * 64)
    git.commit("refs/heads/main", git.resolve("main"), "spoil", {entry.path: wrong})
    done = on_hub(hub, release.parent, "verify", NAME)
    assert done.code == 1
    assert f"{entry.path} is not the file that the manifest describes" in done.stderr
    assert on_hub(hub, release.parent, "verify", f"{NAME}@v9.0.0").code == 3
    assert on_hub(hub, release.parent, "verify", "org/nothing").code == 3


def test_a_release_is_taken_back_and_stays_under_its_tag(
    hub: Hub, release: Path, tmp_path: Path
) -> None:
    publish(hub, release)
    before = shown(hub)
    publish(hub, make_release(tmp_path / "two", 4))
    tagged = tags(hub)
    done = on_hub(hub, tmp_path, "yank", f"{NAME}@v1.1.0", "--why", "test tasks *inside*", "--json")
    assert done.code == 0, done.stderr
    assert (done.summary["yanked"], done.summary["shows"]) == ("1.1.0", "1.0.0")
    after = shown(hub)
    assert {path for path in before if before[path] != after[path]} == {
        "README.md", "CHANGELOG.md", "manifest.json",
    }  # fmt: skip
    assert set(after) == set(before)
    assert b"**v1.1.0 was withdrawn**: test tasks \\*inside\\*" in after["README.md"]
    assert tags(hub) == tagged
    assert on_hub(hub, tmp_path, "verify", f"{NAME}@v1.1.0").code == 0
    assert on_hub(hub, tmp_path, "verify", NAME).code == 0
    done = publish(hub, make_release(tmp_path / "three", 5))
    assert done.summary["version"] == "1.2.0"
    assert b"v1.1.0 was withdrawn" in shown(hub)["README.md"]
    assert on_hub(hub, tmp_path, "yank", f"{NAME}@v9.0.0", "--why", "x").code == 2


def test_diff_of_folders_and_of_releases_on_the_hub(
    hub: Hub, release: Path, tmp_path: Path
) -> None:
    publish(hub, release)
    other = make_release(tmp_path / "two", 4, word=" twice")
    done = on_hub(hub, tmp_path, "diff", f"{NAME}@v1.0.0", other, "--json")
    found = {each["config"]: each for each in done.summary["configs"]}
    assert done.summary["same"] is False
    assert (found["tasks"]["added"], found["tasks"]["changed"]) == (1, 0)
    assert (found["attempts"]["added"], found["attempts"]["changed"]) == (1, 3)
    assert found["pull-requests"]["changed"] == 0
    assert on_hub(hub, tmp_path, "diff", release, release, "--json").summary["same"] is True
    assert on_hub(hub, tmp_path, "diff", tmp_path, release).code == 1
