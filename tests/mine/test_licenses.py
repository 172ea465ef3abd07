"""The licence of a pull request: what the repository's own files said at its base."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from davinci_agency.errors import DataError
from davinci_agency.mine import GitHubAccess
from davinci_agency.repository.licensing import MAX_BYTES, read_licensing, read_notices
from davinci_agency.repository.overlay import Overlay, open_overlay
from davinci_agency.repository.source import read_source
from tests.mine.hosted import REPO, Hosted, make_hosted
from tests.mine.support import mine
from tests.repositories import Repository, run_git
from tests.servers.github import TOKEN, GitHubServer
from tests.test_spdx import words

MIT, BSD, SSPL, GPL = map(words, ("MIT", "BSD-3-Clause", "SSPL-1.0", "GPL-3.0-only"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.init(tmp_path / "repository")


def licenses(repository: Path, out: Path, **options: object) -> dict[int, str | None]:
    return {n: pull["license"] for n, pull in mine(repository, out, options).pulls.items()}


def expression(repository: Repository, files: dict[str, str | bytes | None]) -> str | None:
    """Commit some files and return what they say of the licence."""
    commit = repository.commit("Change", files)
    with overlay_of(repository.folder) as overlay:
        return read_licensing(overlay, [commit])[commit].expression


def overlay_of(folder: Path) -> AbstractContextManager[Overlay]:
    return open_overlay(read_source(folder))


def change_of_licence(repository: Repository) -> None:
    """Make two pull requests under one licence, and two under the next; #2 is what changes it."""
    repository.commit("Begin", {"LICENSE": BSD, "a.py": "0\n"})
    repository.commit("Add one (#1)", {"a.py": "1\n"})
    repository.commit("Change the licence (#2)", {"LICENSE": None, "LICENSE.txt": SSPL})
    repository.commit("Add three (#3)", {"a.py": "3\n"})
    repository.commit("Add four (#4)", {"a.py": "4\n"})


def test_a_pull_request_is_under_the_licence_of_its_base(
    repository: Repository, tmp_path: Path
) -> None:
    change_of_licence(repository)
    assert licenses(repository.folder, tmp_path) == {
        1: "BSD-3-Clause",
        2: "BSD-3-Clause",
        3: "SSPL-1.0",
        4: "SSPL-1.0",
    }


def test_the_curator_s_word_is_above_the_files(repository: Repository, tmp_path: Path) -> None:
    change_of_licence(repository)
    assert set(licenses(repository.folder, tmp_path, license="MIT").values()) == {"MIT"}


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    return make_hosted(tmp_path_factory.mktemp("hosted") / "demo.git", 3)


@pytest.fixture
def server(hosted: Hosted) -> Iterator[GitHubServer]:
    with GitHubServer(hosted.pulls) as server:
        yield server


def commit_onto(folder: Path, files: dict[str, str], subject: str) -> None:
    """Add files to the main branch of a bare repository in one commit."""
    parts = [
        "commit refs/heads/main", "committer Ada <ada@example.org> 1800000000 +0000",
        f"data {len(subject.encode())}", subject, "from refs/heads/main^0",
    ]  # fmt: skip
    for path, text in files.items():
        parts += [f"M 100644 inline {path}", f"data {len(text.encode())}", text]
    run_git(folder, "fast-import", "--quiet", stdin="\n".join([*parts, ""]).encode())


def test_github_s_answer_of_today_is_used_only_where_the_files_say_nothing(
    hosted: Hosted, server: GitHubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "demo.git"
    run_git(tmp_path, "clone", "-q", "--mirror", hosted.folder, folder)
    commit_onto(folder, {"LICENSE": BSD}, "State a licence")
    commit_onto(folder, {"new.txt": "new\n"}, "Add new (#900)")
    commit_onto(folder, {"LICENSE": "You may do as we like."}, "State another")
    commit_onto(folder, {"new.txt": "newer\n"}, "Change new (#901)")
    options = {"repo": REPO, "github": GitHubAccess((TOKEN,), server.base_url)}
    pulls = mine(folder, tmp_path, options).pulls
    assert {pulls[number]["license"] for number in (1, 2, 3)} == {"Apache-2.0"}
    assert pulls[900]["license"] == "BSD-3-Clause"
    assert pulls[901]["license"] == "Apache-2.0", "the files are still those GitHub speaks of"
    commit_onto(folder, {"LICENSE": "You may do as you like."}, "State a third")
    assert mine(folder, tmp_path, options).pulls[901]["license"] is None


def test_a_word_that_restricts_a_licence_is_above_github_s(
    hosted: Hosted, server: GitHubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "demo.git"
    run_git(tmp_path, "clone", "-q", "--mirror", hosted.folder, folder)
    commit_onto(folder, {"LICENSE": f"Commons Clause\n{MIT}"}, "State a licence")
    commit_onto(folder, {"new.txt": "new\n"}, "Add new (#900)")
    options = {"repo": REPO, "github": GitHubAccess((TOKEN,), server.base_url)}
    assert mine(folder, tmp_path, options).pulls[900]["license"] is None


def test_a_cache_of_one_licence_is_not_taken_for_another(
    repository: Repository, tmp_path: Path
) -> None:
    change_of_licence(repository)
    cache = tmp_path / "cache"
    for options in ({"license": "MIT"}, {}, {"license": "ISC"}):
        again = mine(repository.folder, tmp_path, options, cache=cache)
        assert again.content == mine(repository.folder, tmp_path / "fresh", options).content


def test_a_partial_clone_without_the_file_knows_no_licence(
    repository: Repository, tmp_path: Path
) -> None:
    change_of_licence(repository)
    repository.git("config", "uploadpack.allowFilter", "true")
    for what in ("blob:none", "tree:0"):
        partial = repository.bare_clone(tmp_path / what, f"--filter={what}")
        with overlay_of(partial) as overlay:
            commits = run_git(partial, "rev-list", "main").decode().split()
            assert {said.expression for said in read_licensing(overlay, commits).values()} == {None}


def test_blobs_that_come_later_give_a_partial_clone_its_licences(
    repository: Repository, tmp_path: Path
) -> None:
    change_of_licence(repository)
    repository.git("config", "uploadpack.allowFilter", "true")
    partial, cache = repository.bare_clone(tmp_path / "p", "--filter=blob:none"), tmp_path / "cache"
    assert {p["license"] for p in mine(partial, tmp_path, cache=cache).pulls.values()} == {None}
    run_git(partial, "log", "-p", "--all")
    assert mine(partial, tmp_path, cache=cache).pulls[1]["license"] == "BSD-3-Clause"


def test_the_files_of_a_repository_s_root_speak_and_no_others(repository: Repository) -> None:
    assert expression(repository, {"docs/LICENSE": MIT, "license.py": MIT}) is None
    assert expression(repository, {"x 100644 LICENSE": MIT}) is None
    assert expression(repository, {"licenses/LICENSE_other": GPL, "COPYING": BSD}) == "BSD-3-Clause"
    assert expression(repository, {"LICENSES_bundled.txt": GPL}) == "BSD-3-Clause"


def test_two_files_are_a_choice_by_rust_s_convention_unless_the_manifest_says_else(
    repository: Repository,
) -> None:
    files: dict[str, str | bytes | None] = {
        "LICENSE-MIT": MIT, "LICENSE-APACHE": words("Apache-2.0"),
    }  # fmt: skip
    assert expression(repository, files) == "MIT OR Apache-2.0"
    cargo = '[package]\nlicense = "MIT AND Apache-2.0"\n'
    assert expression(repository, {"Cargo.toml": cargo}) == "MIT AND Apache-2.0"


def test_reuse_s_folder_speaks_where_the_root_does_not(repository: Repository) -> None:
    assert expression(repository, {"LICENSES/EUPL-1.2.txt": "…", "LICENSES/x.txt": "…"}) == (
        "EUPL-1.2"
    )
    assert expression(repository, {"LICENSES/CC0-1.0.txt": "…"}) is None
    assert expression(repository, {"pyproject.toml": '[project]\nlicense = "EUPL-1.2"\n'}) == (
        "EUPL-1.2"
    )
    assert expression(repository, {"LICENSE": MIT}) == "MIT"


def test_a_copyright_file_speaks_where_no_licence_file_does(repository: Repository) -> None:
    assert expression(repository, {"COPYRIGHT": GPL}) == "GPL-3.0-only"
    assert expression(repository, {"LICENSE": MIT}) == "MIT"


def test_hostile_files_are_read_to_a_limit_and_not_followed(repository: Repository) -> None:
    assert expression(repository, {"LICENSE": MIT + "\n" * MAX_BYTES}) is None
    link = repository.folder / "LICENSE"
    link.unlink()
    link.symlink_to("../outside")
    assert expression(repository, {}) is None
    link.unlink()
    assert expression(repository, {"LICENSE": b"\xff\xfe" + MIT.encode()}) == "MIT"


def test_a_repository_of_sha_256_is_read_as_well(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "r", object_format="sha256")
    assert expression(repository, {"LICENSE": MIT}) == "MIT"


def test_notices_are_handed_out_once_each_as_text(repository: Repository) -> None:
    first = repository.commit("Begin", {"LICENSE": MIT, "NOTICE": b"caf\xe9\n", "a.py": ""})
    second = repository.commit("Move", {"LICENSE": None, "LICENSE.txt": MIT, "NOTICE": "cafe\n"})
    with overlay_of(repository.folder) as overlay:
        found = read_licensing(overlay, [first, second, first])
        notices = read_notices(overlay, found.values())
    assert [path for path, _ in found[first].files] == ["LICENSE", "NOTICE"]
    assert sorted((notice.path, notice.text) for notice in notices) == [
        ("LICENSE", MIT),
        ("NOTICE", "cafe\n"),
        ("NOTICE", "caf\ufffd\n"),
    ]


def test_a_commit_that_is_absent_says_nothing(repository: Repository) -> None:
    there = repository.commit("Begin", {"LICENSE": MIT})
    absent = "0" * 39 + "1"
    with overlay_of(repository.folder) as overlay:
        found = read_licensing(overlay, [absent, there])
    assert (found[absent].expression, found[absent].files) == (None, ())
    assert found[there].expression == "MIT"


def test_a_damaged_licence_file_is_told(repository: Repository) -> None:
    commit = repository.commit("Begin", {"LICENSE": MIT})
    blob = repository.sha("HEAD:LICENSE")
    path = repository.git_dir / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with overlay_of(repository.folder) as overlay, pytest.raises(DataError, match="git fsck"):
        read_licensing(overlay, [commit])
