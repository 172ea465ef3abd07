"""The stand-in for the Hub, asked by the clients that ask the real one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.servers.hub import READER, TOKEN, Fault, Hub

NAME = "org/data"
LARGE = bytes(range(256)) * 4000


@pytest.fixture(params=[False, True], ids=["lfs", "xet"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "hub", xet=request.param, part_bytes=300_000) as hub:
        yield hub


@pytest.fixture
def api(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    # The switch is read at import; the client looks at this copy of it whenever it uploads.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", not hub.xet)
    api = HfApi(endpoint=hub.url, token=TOKEN)
    api.create_repo(NAME, repo_type="dataset")
    return api


def add(path: str, content: bytes) -> CommitOperationAdd:
    return CommitOperationAdd(path, content)


def commit(
    api: HfApi,
    *operations: CommitOperationAdd | CommitOperationDelete,
    parent: str | None = None,
    branch: str = "main",
) -> str:
    return api.create_commit(
        NAME,
        operations,
        commit_message="say",
        repo_type="dataset",
        revision=branch,
        parent_commit=parent,
    ).oid


def read(api: HfApi, path: str, revision: str | None, cache: Path) -> bytes:
    return Path(
        api.hf_hub_download(NAME, path, repo_type="dataset", revision=revision, cache_dir=cache)
    ).read_bytes()


def test_small_and_large_files_come_back(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    oid = commit(api, add("README.md", b"# hello\n"), add("a/b.parquet", LARGE))
    assert read(api, "README.md", "main", tmp_path) == b"# hello\n"
    assert read(api, "a/b.parquet", oid, tmp_path) == LARGE
    folder = api.snapshot_download(NAME, repo_type="dataset", cache_dir=tmp_path / "all")
    assert (Path(folder) / "a/b.parquet").read_bytes() == LARGE
    assert api.dataset_info(NAME).sha == oid


def test_large_files_go_the_way_that_was_asked_for(hub: Hub, api: HfApi) -> None:
    commit(api, add("b.parquet", LARGE))
    assert (hub.blobs.stored > 0) == hub.xet
    lfs = [request for request in hub.requests if request.path.endswith("/objects/batch")]
    assert bool(lfs) != hub.xet
    parts = [request for request in hub.requests if request.method == "PUT"]
    assert len(parts) == (0 if hub.xet else 4)


def test_what_did_not_change_is_not_committed_again(hub: Hub, api: HfApi) -> None:
    oid = commit(api, add("README.md", b"one"), add("b.parquet", LARGE))
    assert commit(api, add("README.md", b"one"), add("b.parquet", LARGE)) == oid


def test_ranges_of_a_large_file(hub: Hub, api: HfApi) -> None:
    commit(api, add("b.parquet", LARGE))
    with HfFileSystem(endpoint=hub.url, token=TOKEN).open(f"datasets/{NAME}/b.parquet") as file:
        file.seek(-300, io.SEEK_END)
        assert file.read(100) == LARGE[-300:-200]


def test_a_stale_parent_changes_nothing(hub: Hub, api: HfApi) -> None:
    first = commit(api, add("a", b"1"))
    second = commit(api, add("a", b"2"), parent=first)
    with pytest.raises(HfHubHTTPError) as refused:
        commit(api, add("a", b"3"), parent=first)
    assert refused.value.response.status_code == 412
    assert api.dataset_info(NAME).sha == second


def test_deleting_and_listing(hub: Hub, api: HfApi) -> None:
    commit(api, *(add(f"d/{n:04d}", str(n).encode()) for n in range(1200)))
    commit(api, CommitOperationDelete("d/0000"))
    paths = [entry.path for entry in api.list_repo_tree(NAME, repo_type="dataset", recursive=True)]
    assert len(paths) == 1 + 1 + 1199
    commit(api, CommitOperationDelete("d/"))
    assert api.list_repo_files(NAME, repo_type="dataset") == [".gitattributes"]
    with pytest.raises(EntryNotFoundError):
        commit(api, CommitOperationDelete("nowhere"))


def test_tags_branches_and_history(hub: Hub, api: HfApi) -> None:
    first = commit(api, add("a", b"1"))
    api.create_tag(NAME, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_tag(NAME, tag="v1.0.0", repo_type="dataset")
    assert refused.value.response.status_code == 409
    api.create_branch(NAME, branch="script", revision=first, repo_type="dataset")
    commit(api, add("b", b"1"), branch="script")
    refs = api.list_repo_refs(NAME, repo_type="dataset")
    assert {ref.name for ref in refs.branches} == {"main", "script"}
    assert [(ref.name, ref.target_commit) for ref in refs.tags] == [("v1.0.0", first)]
    assert len(api.list_repo_commits(NAME, repo_type="dataset")) == 2
    assert not api.file_exists(NAME, "b", repo_type="dataset", revision="v1.0.0")
    api.delete_tag(NAME, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(NAME, revision="v1.0.0")


def test_pull_requests(hub: Hub, api: HfApi) -> None:
    made = api.create_commit(
        NAME, [add("a", b"1")], commit_message="say", repo_type="dataset", create_pr=True
    )
    assert made.pr_num == 1
    assert not api.file_exists(NAME, "a", repo_type="dataset")
    assert api.file_exists(NAME, "a", repo_type="dataset", revision="refs/pr/1")
    api.merge_pull_request(NAME, 1, repo_type="dataset")
    assert api.file_exists(NAME, "a", repo_type="dataset")


def test_who_may_do_what(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    commit(api, add("a", b"1"))
    reader = HfApi(endpoint=hub.url, token=READER)
    nobody = HfApi(endpoint=hub.url, token=False)
    assert reader.whoami()["name"] == "bob"
    with pytest.raises(HfHubHTTPError) as refused:
        commit(reader, add("a", b"2"))
    assert refused.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError):
        HfApi(endpoint=hub.url, token="wrong").whoami()  # noqa: S106
    api.update_repo_settings(NAME, repo_type="dataset", gated="auto")
    with pytest.raises(GatedRepoError):
        reader.hf_hub_download(NAME, "a", repo_type="dataset", cache_dir=tmp_path)
    assert api.hf_hub_download(NAME, "a", repo_type="dataset", cache_dir=tmp_path)
    api.update_repo_settings(NAME, repo_type="dataset", private=True)
    for other in (reader, nobody):
        with pytest.raises(RepositoryNotFoundError):
            other.dataset_info(NAME)
    api.delete_repo(NAME, repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(NAME)


def test_faults(hub: Hub, api: HfApi) -> None:
    hub.plan(
        Fault(lambda request: request.path.endswith("/refs"), status=503),
        Fault(lambda request: "/commit/" in request.path, lost=True),
    )
    with pytest.raises(HfHubHTTPError):
        api.list_repo_refs(NAME, repo_type="dataset")
    assert api.list_repo_refs(NAME, repo_type="dataset").tags == []
    with pytest.raises(Exception, match="disconnected"):
        commit(api, add("a", b"1"))
    assert api.file_exists(NAME, "a", repo_type="dataset"), "the work was done"


def test_git_clones_it(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    commit(api, add("a.txt", b"1\n"), add("b.parquet", LARGE))
    address = f"{hub.url}/datasets/{NAME}"
    environment = {**os.environ, "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "clone", "-q", address, str(tmp_path / "clone")]
    subprocess.run(command, check=True, env=environment)
    assert (tmp_path / "clone/a.txt").read_bytes() == b"1\n"
    assert (tmp_path / "clone/b.parquet").read_bytes().startswith(b"version https://git-lfs")


def test_the_command_line_client(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path),
        "HF_HUB_DISABLE_XET": "0" if hub.xet else "1",
    }  # fmt: skip
    (tmp_path / "up").mkdir()
    (tmp_path / "up/c.parquet").write_bytes(LARGE)

    def hf(*arguments: str) -> None:
        command = [str(Path(sys.executable).parent / "hf"), *arguments, "--repo-type", "dataset"]
        subprocess.run(command, check=True, env=environment, capture_output=True)

    hf("upload", NAME, str(tmp_path / "up"))
    hf("download", NAME, "--local-dir", str(tmp_path / "down"))
    assert (tmp_path / "down/c.parquet").read_bytes() == LARGE
