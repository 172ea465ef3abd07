"""A release that was damaged, or made to do harm: told, and nothing outside it is touched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from davinci_agency.card import measure_release, render_card, write_card
from davinci_agency.card.stats import ReleaseStats
from davinci_agency.errors import OutputError, ReleaseError
from davinci_agency.export import export_release
from davinci_agency.files import atomic_folder, digest_file
from davinci_agency.release import check_release, read_manifest
from tests.command import davinci
from tests.publish.support import make_release

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("made") / "one")


@pytest.fixture
def release(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "release")


def change(release: Path, how: Callable[[Manifest], object]) -> None:
    path = release / "manifest.json"
    manifest = json.loads(path.read_bytes())
    how(manifest)
    path.write_text(json.dumps(manifest))


def _twice(manifest: Manifest) -> None:
    shard = manifest["shards"][1]
    manifest["shards"].append(shard)
    manifest["rows"][shard["config"]] *= 2


HARMFUL: dict[str, Callable[[Manifest], object]] = {
    "absolute": lambda m: m["shards"][0].update(path="/etc/passwd"),
    "outside": lambda m: m["shards"][0].update(path="../other.parquet"),
    "deep": lambda m: m["shards"][0].update(path="a/b/c.parquet"),
    "nul": lambda m: m["shards"][0].update(path="tasks/\0.parquet"),
    "twice": _twice,
    "no-rows": lambda m: m["rows"].pop("tasks"),
    "other-rows": lambda m: m["rows"].update(tasks=0),
    "config": lambda m: m["shards"][0].update(config="evil"),
    "split": lambda m: m["shards"][0].update(split="test"),
    "format": lambda m: m.update(shard_format="arrow"),
    "options": lambda m: m.update(options={}),
    "schema": lambda m: m.update(schema_version="9.9.9"),
    "name": lambda m: m.update(name="a\n---\n<script>"),
    "repository": lambda m: m.update(repository="o/n\n```\n<script>"),
    "withdrawn": lambda m: m.update(withdrawn={"`": "why"}),
    "made-with": lambda m: m["made_with"].update({"a\nb": "1"}),
}


@pytest.mark.parametrize("kind", list(HARMFUL))
def test_a_manifest_that_is_none_of_ours_is_not_followed(
    kind: str, release: Path, tmp_path: Path
) -> None:
    change(release, HARMFUL[kind])
    for use in (
        lambda: list(check_release(release)),
        lambda: write_card(release),
        lambda: export_release(release, tmp_path / "out"),
    ):
        with pytest.raises(ReleaseError, match="is damaged"):
            use()
    assert not (tmp_path / "out").exists()


def test_a_manifest_that_is_no_text_is_told(release: Path) -> None:
    for raw in (b'{"name":"\xff\xff"}', b"[" * 200_000, b""):
        (release / "manifest.json").write_bytes(raw)
        with pytest.raises(ReleaseError, match="is damaged"):
            read_manifest(release)


def test_the_card_is_written_through_no_link(release: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a.svg").write_text("kept")
    plots = release / "plots"
    (plots / "funnel.svg").unlink()
    (plots / "funnel.svg").symlink_to(victim / "a.svg")
    with pytest.raises(ReleaseError, match="no plain file"):
        write_card(release)
    shutil.rmtree(plots)
    plots.symlink_to(victim)
    assert any("link to a folder" in fault for fault in check_release(release))
    with pytest.raises(ReleaseError, match="no plain file"):
        write_card(release)
    assert (victim / "a.svg").read_text() == "kept"


def replace_shard(release: Path, config: str, column: str, values: list[Any]) -> None:
    """Give a column of a config other values of its own storage, with digest and size that fit."""
    (shard,) = read_manifest(release).shards_of(config)
    path = release / shard.path
    table = pq.read_table(path)
    field = table.schema.field(column)
    storage = getattr(field.type, "storage_type", field.type)
    changed = pa.array(values * table.num_rows, storage)
    if changed.type != field.type:
        changed = pa.ExtensionArray.from_storage(field.type, changed)
    pq.write_table(table.set_column(table.schema.get_field_index(column), field, changed), path)

    def describe(manifest: Manifest) -> None:
        for each in manifest["shards"]:
            if each["path"] == shard.path:
                each |= {"sha256": digest_file(path), "bytes": path.stat().st_size}

    change(release, describe)


@pytest.mark.parametrize("values", [["{"], ["{} {}"]])
def test_a_row_that_is_none_is_told(values: list[Any], release: Path) -> None:
    replace_shard(release, "attempts", "metadata", values)
    assert any("holds what is no row" in fault for fault in check_release(release))
    with pytest.raises(ReleaseError, match="no row"):
        write_card(release)


def test_an_exchanged_or_cut_shard_is_exported_by_nobody(release: Path, tmp_path: Path) -> None:
    (shard,) = read_manifest(release).shards_of("tasks")
    path = release / shard.path
    raw = path.read_bytes()
    for damaged in (raw[:-10], raw[:100] + b"\0" + raw[101:]):
        path.write_bytes(damaged)
        with pytest.raises(ReleaseError, match="not the file"):
            export_release(release, tmp_path / "out")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ReleaseError, match="not the file"):
        export_release(release, tmp_path / "out")
    with pytest.raises(ReleaseError, match="no file"):
        write_card(release)


def test_an_export_goes_neither_into_the_release_nor_nowhere(release: Path) -> None:
    done = davinci("export", release, "--out", release / "portable")
    assert (done.code, "holds the release" in done.stderr) == (2, True)
    for nowhere in (Path(), Path("/")):
        with pytest.raises(OutputError, match="no name for a folder"), atomic_folder(nowhere, "x"):
            raise AssertionError


def test_an_empty_release_has_a_card(tmp_path: Path) -> None:
    done = davinci("build", "--out", tmp_path / "release")
    assert done.code == 0, done.stderr
    assert "There is nothing in it yet." in (tmp_path / "release" / "README.md").read_text()


def test_a_name_that_could_be_markup_is_refused(tmp_path: Path) -> None:
    done = davinci("build", "--out", tmp_path / "release", "--name", "N\n---\n<script>")
    assert (done.code, "is no name" in done.stderr) == (2, True)


def test_a_very_long_or_unseen_value_is_cut_on_the_card(release: Path) -> None:
    stats: ReleaseStats = measure_release(release)
    stats.configs["tasks"].counts["language"]["x" * 10_000_000 + "\x1b\u202e"] = 1
    stats.configs["pull-requests"].counts["language"]["\x1b[31m\u202e" + "y" * 10_000_000] = 1
    card = render_card(stats)
    assert len(card) < 200_000
    assert "\x1b" not in card
    assert "\u202e" not in card


def test_an_unreachable_hub_is_the_remote_s_fault(tmp_path: Path) -> None:
    done = davinci(
        "export", "org/name@v1.0.0", "--out", tmp_path / "out",
        env={"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert (done.code, "can't be reached" in done.stderr) == (3, True)
    assert davinci("build", "--after", "", "--out", tmp_path / "release").code == 2
