"""Stages proven by git: from real clones, without touching them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.chain import ChainOptions, find_chains
from davinci_agency.mine import MineOptions, mine_pulls
from davinci_agency.parallel import Pool
from davinci_agency.records import ApplyStatus, PullRequest, StatePolicy, from_json, to_json
from davinci_agency.repository.source import read_source
from tests.repositories import Content, Repository, digest_tree
from tests.samples import read_lines

LINES = [f"value_{number} = {number}\n" for number in range(30)]
TIED = ChainOptions(kinds=("semantic-chain",))


def changed(**by_place: str) -> str:
    """Return the file with some of its lines, such as ``l3``, replaced."""
    lines = list(LINES)
    for place, line in by_place.items():
        lines[int(place[1:])] = line + "\n"
    return "".join(lines)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.init(tmp_path / "made")
    made.commit("Begin", {"core.py": "".join(LINES), "other.py": "".join(LINES)})
    return made


def squash(made: Repository, number: int, files: dict[str, Content], body: str = "") -> str:
    branch = f"b{number}"
    made.switch(branch, "HEAD")
    made.commit("Work", files)
    made.switch("main")
    return made.squash_pull(number, branch, f"Change part {number}", body)


@pytest.mark.parametrize("policy", ["historical-base", "cumulative"])
def test_as_mined_they_are_proven_the_same_without_asking_again(
    repository: Repository, policy: StatePolicy, tmp_path: Path
) -> None:
    squash(repository, 1, {"core.py": changed(l3="x = 1")})
    squash(repository, 2, {"core.py": None, "new.py": changed(l3="x = 1", l9="y = 1")}, "After #1.")
    squash(repository, 3, {"new.py": None, "newest.py": changed(l3="x = 1", l9="y = 1")})
    squash(repository, 4, {"data.bin": b"\0\1", "other.py": changed(l2="z = 1")}, "See #2.")
    squash(repository, 5, {"yarn.lock": "a\n", "newest.py": changed(l2="z = 2")}, "See #3.")
    squash(repository, 6, {"a/b/o(1).py": changed(l3="x = 1"), "a/it.py": changed(l3="x = 1")})
    squash(repository, 7, {"a/b/o(1).py": changed(l2="z = 1"), "a/it.py": None}, "See #6.")
    squash(repository, 8, {"a/b/go.sum": "a\n", "c/d/it.py": "x = 1\n"}, "See #6.")
    squash(repository, 9, {"a/b/go.sum": "b\n", "c/d/it.py": None, "e.py": "z = 1\n"}, "See #8.")
    pulls = tmp_path / "pulls.jsonl"
    mine_pulls([(repository.folder, MineOptions(repo="example/thing"))], pulls)
    found = {}
    for mined in (False, True):
        out = tmp_path / f"{mined}.jsonl"
        options = ChainOptions(policy=policy, states=("clean", "three-way", "conflict"))
        clones = {"example/thing": read_source(repository.folder)}
        find_chains([pulls], out, options, clones=clones, mined=mined)
        found[mined] = out.read_bytes()
    assert found[True] == found[False]
    assert found[True].count(b'"apply_status":"clean"') > 5
    # Nobody is asked again: what was made up is believed, but for what git did not say in full.
    pulls.write_bytes(pulls.read_bytes().replace(b" value_1 =", b" value_0 ="))
    find_chains([pulls], out, options, clones=clones, mined=True)
    told = {(s["number"], s["apply_status"]) for c in read_lines(out) for s in c["stages"]}
    believed = policy == "historical-base"
    assert {*((n, "clean" if believed else "conflict") for n in (1, 4)), (7, "conflict")} <= told


def chains(
    made: Repository, policy: StatePolicy, states: tuple[ApplyStatus, ...] = (), workers: int = 1
) -> list[dict[str, Any]]:
    """Mine a repository, and return its semantic chains, proven."""
    folder = made.folder.parent
    pulls, out = folder / "pulls.jsonl", folder / "chains.jsonl"
    options = MineOptions(repo="example/thing")
    mine_pulls([(made.folder, options)], pulls, cache=folder / "cache")
    before = digest_tree(made.folder)
    with Pool(workers) as engine:
        find_chains(
            [pulls],
            out,
            replace(TIED, policy=policy, states=states or ("clean", "three-way", "conflict")),
            clones={"example/thing": read_source(made.folder)},
            engine=engine,
        )
    assert digest_tree(made.folder) == before
    return read_lines(out)


def states_of(chain: dict[str, Any]) -> list[str]:
    return [stage["apply_status"] for stage in chain["stages"]]


@pytest.mark.parametrize("policy", ["historical-base", "cumulative"])
def test_patches_that_apply_are_proven_with_their_trees(
    repository: Repository, policy: StatePolicy
) -> None:
    first = squash(repository, 1, {"core.py": changed(l3="three = 3")})
    second = squash(
        repository, 2, {"core.py": changed(l3="three = 4", l20="x = 1")}, "Follow-up to #1."
    )
    (chain,) = chains(repository, policy)
    assert states_of(chain) == ["clean", "clean"]
    stages = chain["stages"]
    assert [stage["state_policy"] for stage in stages] == [policy] * 2
    assert stages[0]["base_tree"] == repository.sha(f"{first}~^{{tree}}")
    assert stages[0]["result_tree"] == repository.sha(f"{first}^{{tree}}")
    assert stages[1]["base_tree"] == stages[0]["result_tree"]
    assert stages[1]["result_tree"] == repository.sha(f"{second}^{{tree}}")


def test_a_cumulative_state_holds_nothing_but_the_chain(repository: Repository) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"other.py": changed(l9="nine = 9")})
    merged = squash(repository, 3, {"core.py": changed(l3="three = 4")}, "Fixes what #1 brought.")
    (chain,) = chains(repository, "cumulative")
    assert states_of(chain) == ["clean", "clean"]
    tree = chain["stages"][1]["base_tree"]
    assert tree == chain["stages"][0]["result_tree"]
    assert tree != repository.sha(f"{merged}~^{{tree}}")
    (historical,) = chains(repository, "historical-base")
    assert historical["stages"][1]["base_tree"] == repository.sha(f"{merged}~^{{tree}}")
    assert historical["chain_id"] == chain["chain_id"]


def test_a_patch_whose_surroundings_came_from_outside_needs_a_merge(
    repository: Repository,
) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"core.py": changed(l3="three = 3", l10="ten = 10")})
    squash(
        repository,
        3,
        {"core.py": changed(l3="three = 3", l10="ten = 10", l12="twelve = 12")},
        "Fixes what #1 brought.",
    )
    (chain,) = chains(repository, "cumulative")
    assert states_of(chain) == ["clean", "three-way"]
    assert chain["stages"][1]["result_tree"]
    assert chains(repository, "cumulative", ("clean",)) == []
    (receipt,) = read_lines(repository.folder.parent / "chains.removed.jsonl")
    assert (receipt["record_type"], receipt["rule"]) == ("pr-chain", "state-three-way")


def test_a_patch_of_lines_that_are_not_there_conflicts_and_what_follows_is_unproven(
    repository: Repository,
) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"core.py": changed(l3="three = 3", l10="ten = 10")})
    squash(repository, 3, {"core.py": changed(l3="three = 3", l10="ten = 11")}, "Fixes #1's part.")
    squash(repository, 4, {"core.py": changed(l3="three = 3", l10="ten = 12")}, "Follow-up to #3.")
    every: tuple[ApplyStatus, ...] = ("clean", "three-way", "conflict", "unproven")
    (chain,) = chains(repository, "cumulative", every)
    assert states_of(chain) == ["clean", "conflict", "unproven"]
    assert [stage["result_tree"] is None for stage in chain["stages"]] == [False, True, True]
    assert chain["stages"][2]["base_tree"] is None
    (historical,) = chains(repository, "historical-base")
    assert states_of(historical) == ["clean"] * 3


def test_the_number_of_workers_changes_nothing(repository: Repository) -> None:
    for number in range(1, 12, 2):
        squash(repository, number, {f"{number}.py": changed(l3=f"three = {number}")})
        squash(
            repository, number + 1, {f"{number}.py": changed(l4="four = 4")}, f"Fixes #{number}."
        )
    alone = chains(repository, "cumulative")
    assert len(alone) == 6
    assert chains(repository, "cumulative", workers=3) == alone


def test_a_commit_that_the_clone_lacks_leaves_its_stages_unproven(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"core.py": changed(l3="three = 4")}, "Fixes #1.")
    assert len(chains(repository, "historical-base")) == 1
    empty = Repository.init(tmp_path / "empty")
    empty.commit("Begin", {"a": "a"})
    out = tmp_path / "again.jsonl"
    pulls = tmp_path / "pulls.jsonl"
    clones = {"example/thing": read_source(empty.folder)}
    find_chains([pulls], out, replace(TIED, states=("unproven",)), clones=clones)
    (chain,) = read_lines(out)
    assert states_of(chain) == ["unproven", "unproven"]


@pytest.mark.parametrize(
    "path", ["../outside.py", ".git/hooks/post-checkout", "/etc/outside", "a/../../outside"]
)
def test_a_patch_that_reaches_out_is_a_conflict_and_writes_nothing(
    repository: Repository, tmp_path: Path, path: str
) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"core.py": changed(l3="three = 4")}, "Fixes #1.")
    chains(repository, "historical-base")
    hostile = []
    for row in read_lines(tmp_path / "pulls.jsonl"):
        header = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n"
        row["patch"] = f"{header}+++ b/{path}\n@@ -0,0 +1 @@\n+owned\n"
        hostile.append(to_json(from_json(row, PullRequest)) + b"\n")
    (tmp_path / "hostile.jsonl").write_bytes(b"".join(hostile))
    out = tmp_path / "hostile-chains.jsonl"
    before = digest_tree(tmp_path / "made")
    clones = {"example/thing": read_source(repository.folder)}
    options = replace(TIED, states=("conflict",))
    find_chains([tmp_path / "hostile.jsonl"], out, options, clones=clones)
    (chain,) = read_lines(out)
    assert states_of(chain) == ["conflict", "conflict"]
    assert digest_tree(tmp_path / "made") == before
    assert not list(tmp_path.rglob("outside*"))


def test_a_patch_that_would_unpack_into_all_memory_is_not_tried(
    repository: Repository, tmp_path: Path
) -> None:
    squash(repository, 1, {"core.py": changed(l3="three = 3")})
    squash(repository, 2, {"core.py": changed(l3="three = 4")}, "Fixes #1.")
    chains(repository, "historical-base")
    huge = []
    for row in read_lines(tmp_path / "pulls.jsonl"):
        row["patch"] = f"{row['patch']}diff --git a/b b/b\nGIT binary patch\nliteral {2**40}\nzc\n"
        huge.append(to_json(from_json(row, PullRequest)) + b"\n")
    (tmp_path / "huge.jsonl").write_bytes(b"".join(huge))
    out = tmp_path / "huge-chains.jsonl"
    clones = {"example/thing": read_source(repository.folder)}
    options = replace(TIED, states=("unproven",))
    find_chains([tmp_path / "huge.jsonl"], out, options, clones=clones)
    (chain,) = read_lines(out)
    assert states_of(chain) == ["unproven", "unproven"]
