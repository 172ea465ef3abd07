"""Patches that are known to apply: just those that git would print, and git agrees."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from davinci_agency.chain.own_diffs import OwnDiffs, is_own
from davinci_agency.chain.proving import Proof, Prover
from davinci_agency.records import ChainStage
from davinci_agency.repository.differ import Differ
from davinci_agency.repository.overlay import Overlay, open_overlay
from davinci_agency.repository.source import read_source
from tests.repositories import Content, Repository
from tests.samples import example

LONG = "".join(f"line {number}\n" for number in range(30))
BEFORE: dict[str, Content] = {
    "code.py": "one\ntwo\nthree\n",
    "tests/test_code.py": "check\n",
    "old.py": LONG,
    "data.bin": b"\0\1",
    "a": "a file\n",
}


def committed(tmp_path: Path, after: Mapping[str, Content]) -> tuple[Repository, str, str]:
    repository = Repository.init(tmp_path / "made")
    base = repository.commit("Before", BEFORE)
    return repository, base, repository.commit("After", after)


def printed_of(overlay: Overlay, base: str, commit: str) -> bytes:
    with closing(Differ(overlay)) as differ:
        differ.ask([(commit, base)])
        ((printed, _),) = differ.answers(1)
    return printed


def patch_of(printed: bytes) -> str:
    return printed.partition(b"\n\n")[2].decode("utf-8", "surrogateescape")


def stage_of(base: str, commit: str, patch: str, number: int = 1) -> ChainStage:
    stage = example("pr-chain")["stages"][0]
    names = {"base_commit": base, "merge_commit": commit, "number": number}
    return msgspec.convert({**stage, **names, "patch": patch, "test_patch": ""}, ChainStage)


@pytest.mark.parametrize(
    ("after", "is_plain"),
    [
        ({"code.py": "one\n2\nthree\n", "tests/test_code.py": "checked\n"}, True),
        ({"code.py": "one\ntwo\nthree"}, True),
        ({"code.py": "one\r\ntwo\r\nthree\r\n"}, True),
        ({"code.py": ""}, True),
        ({"empty.py": "", "new/deep/file.py": "x\n"}, True),
        ({"code.py": None, "data.txt": "\udcff\n".encode("utf-8", "surrogateescape")}, True),
        ({}, True),
        ({"old.py": None, "new.py": LONG}, False),
        ({"old.py": None, "b/new.py": f"{LONG}more\n"}, True),
        ({"old.py": "x\n", "b/new.py": f"{LONG}more\n"}, True),
        ({"old.py": None, "old.py/new.py": f"{LONG}more\n"}, False),
        ({"data.bin": b"\0\2"}, False),
        ({"a": None, "a/b": "in a folder\n"}, False),
        ({"ünï.py": "x\n"}, False),
        ({"docs/.git.md": "x\n"}, False),
    ],
)
def test_only_what_is_plain_is_known(
    tmp_path: Path, after: dict[str, Content], is_plain: bool
) -> None:
    repository, base, commit = committed(tmp_path, after)
    with open_overlay(read_source(repository.folder)) as overlay:
        printed = printed_of(overlay, base, commit)
        assert is_own(patch_of(printed), "", printed) is is_plain


def test_links_and_modes_are_tried(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "made")
    base = repository.commit("Before", BEFORE)
    (repository.folder / "code.py").chmod(0o755)
    mode = repository.commit("Mode")
    (repository.folder / "link").symlink_to("code.py")
    link = repository.commit("Link")
    with open_overlay(read_source(repository.folder)) as overlay:
        for old, new in ((base, mode), (mode, link)):
            printed = printed_of(overlay, old, new)
            assert not is_own(patch_of(printed), "", printed)


def test_a_patch_that_says_anything_else_is_tried(tmp_path: Path) -> None:
    after = {"code.py": "one\n2\nthree\n", "tests/test_code.py": "checked\n"}
    repository, base, commit = committed(tmp_path, after)
    with open_overlay(read_source(repository.folder)) as overlay:
        printed = printed_of(overlay, base, commit)
    whole = patch_of(printed)
    own, of_test = whole[: (place := whole.index("diff --git a/tests"))], whole[place:]
    assert is_own(own, of_test, printed)
    assert is_own(of_test, own, printed)
    assert not is_own(own, "", printed)
    assert not is_own(whole, of_test, printed)
    assert not is_own(whole.replace("+2", "+3"), "", printed)
    assert not is_own(whole[:-1], "", printed)
    assert not is_own("", "", printed)
    assert is_own("", "", b"")
    assert not is_own(own, "", b"")


def edited(dice: random.Random, text: str) -> str:
    """Return a text with some lines taken out, doubled, and put in."""
    lines = text.splitlines(keepends=True)
    for _ in range(dice.randint(1, 4)):
        place = dice.randint(0, len(lines))
        lines[place : place + dice.randint(0, 3)] = dice.choices(["x\n", "y\n", "\n", "  x\n"], k=2)
    return "".join(lines)[: None if dice.random() < 0.7 else -1]


@pytest.mark.parametrize("seed", range(4))
def test_git_finds_the_same(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    repository = Repository.init(tmp_path / "made")
    texts = {f"src/file_{number}.py": "x\ny\n" * 40 for number in range(6)}
    commits = [repository.commit("Begin", dict(texts))]
    for number in range(12):
        changes: dict[str, Content] = {}
        for name in dice.sample(sorted(texts), 3):
            texts[name] = edited(dice, texts[name])
            changes[name] = texts[name]
        changes[f"src/new_{number}.py"] = "new\n" * dice.randint(0, 3)
        commits.append(repository.commit(f"Step {number}", changes))
    with open_overlay(read_source(repository.folder)) as overlay:
        stages = [
            stage_of(base, commit, patch_of(printed_of(overlay, base, commit)), number=number)
            for number, (base, commit) in enumerate(pairwise(commits), 1)
        ]
        with closing(OwnDiffs(overlay)) as own:
            assert list(own.among(stages)) == stages
        with closing(Prover(overlay, "historical-base", 2)) as prover:
            known = list(prover.prove([[stage] for stage in stages]))
        with closing(Prover(overlay, "cumulative", 2)) as prover:
            tried = list(prover.prove([[stage] for stage in stages]))
    trees = [repository.sha(f"{commit}^{{tree}}") for commit in commits]
    expected = [Proof("clean", old, new) for old, new in pairwise(trees)]
    assert known == tried == [[proof] for proof in expected]


def test_where_a_blob_is_missing_the_rest_is_tried(tmp_path: Path) -> None:
    repository, base, commit = committed(tmp_path, {"code.py": "2\n", "old.py": None})
    with open_overlay(read_source(repository.folder)) as overlay:
        stage = stage_of(base, commit, patch_of(printed_of(overlay, base, commit)))
        blob = repository.sha(f"{base}:old.py")
        (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        with closing(OwnDiffs(overlay)) as own:
            assert list(own.among([stage])) == []
            assert list(own.among([stage])) == []
