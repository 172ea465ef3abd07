"""Which schemas may be released, under which number, and how records go from one to the next."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.errors import DataError, SchemaError
from davinci_agency.schema.checking import check_schemas, is_released, lock_version
from davinci_agency.schema.compatibility import Impact, find_differences, next_version
from davinci_agency.schema.migrating import migrate_record
from davinci_agency.schema.registry import read_schemas
from davinci_agency.schema.rewriting import migrate_file
from davinci_agency.schema.validate import Validator
from davinci_agency.shipped import shipped
from tests.command import davinci
from tests.samples import example, read_lines, write_lines

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of version 1.0.0."""
    shutil.copytree(shipped("schemas") / "1.0.0", tmp_path / "schemas/1.0.0")
    return tmp_path / "schemas"


def edit(folder: Path, change: Change, version: str = "1.0.0", record: str = "removal") -> None:
    path = folder / version / f"{record}.schema.json"
    document = orjson.loads(path.read_bytes())
    change(document)
    path.write_bytes(orjson.dumps(document))


def new_version(folder: Path, version: str, change: Change) -> None:
    """Make a version after 1.0.0 that differs in its record of removals."""
    (folder / version).mkdir()
    for path in (folder / "1.0.0").iterdir():
        text = path.read_text().replace("1.0.0", version)
        (folder / version / path.name).write_text(text)
    edit(folder, change, version)


def put(document: dict[str, Any], name: str, **node: Any) -> None:
    """Add a property with an example, or change one."""
    value = node.pop("example", None)
    if name not in document["properties"]:
        document["required"].append(name)
        document["examples"][0][name] = value
    said = {"description": "It is there.", "x-unit": "text", "examples": [value]}
    document["properties"][name] = {**said, **document["properties"].get(name, {}), **node}


def drop(document: dict[str, Any], name: str) -> None:
    document["required"].remove(name)
    del document["properties"][name]
    document["examples"][0].pop(name)


def nullable(document: dict[str, Any]) -> None:
    put(document, "note", type=["string", "null"], example="a note")


def compulsory(document: dict[str, Any]) -> None:
    put(document, "note", type="string", example="a note")


CHANGES: dict[str, tuple[Change, Impact, str]] = {
    "a field that may be null": (nullable, Impact.MINOR, "$.note: it is new"),
    "a field gone": (lambda d: drop(d, "measure"), Impact.MAJOR, "$.measure: it is gone"),
    "another type": (
        lambda d: put(d, "measure", type=["string", "null"]),
        Impact.MAJOR,
        "$.measure: its type was",
    ),
    "null at last": (
        lambda d: put(d, "reason", type=["string", "null"]),
        Impact.MAJOR,
        "$.reason: it may be null now",
    ),
    "null no more": (
        lambda d: put(d, "kept_id", type="string"),
        Impact.MINOR,
        "$.kept_id: it is never null now",
    ),
    "another word": (
        lambda d: d["properties"]["stage"]["enum"].append("publish"),
        Impact.MINOR,
        "$.stage: it may be 'publish' now",
    ),
    "a word less": (
        lambda d: d["properties"]["stage"]["enum"].remove("build"),
        Impact.MINOR,
        "$.stage: it is never 'build' now",
    ),
    "another pattern": (
        lambda d: put(d, "rule", pattern="^[a-z-]+$"),
        Impact.MINOR,
        "$.rule: pattern was",
    ),
    "other words": (
        lambda d: put(d, "reason", description="Why it went."),
        Impact.PATCH,
        "$.reason: description changed",
    ),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_what_a_change_is_called_and_what_number_it_needs(name: str, folder: Path) -> None:
    change, impact, words = CHANGES[name]
    new_version(folder, "2.0.0", change)
    found = find_differences(read_schemas(folder, "1.0.0"), read_schemas(folder, "2.0.0"))
    (difference,) = [each for each in found if each.path != "$"]
    assert (difference.impact, difference.record) == (impact, "removal")
    assert words in str(difference)
    least = next_version("1.0.0", impact)
    shutil.rmtree(folder / "2.0.0")
    for version in ("1.0.1", "1.1.0", "2.0.0"):
        new_version(folder, version, change)
        faults = [fault for fault in check_schemas(folder) if "says too little" in fault]
        assert bool(faults) == (version < least), version
        shutil.rmtree(folder / version)


def test_the_schemas_of_this_program_are_fit_to_be_released() -> None:
    assert list(check_schemas(shipped("schemas"))) == []


def test_a_released_version_never_changes(folder: Path) -> None:
    assert not is_released(folder, "1.0.0")
    lock_version(folder, "1.0.0")
    assert is_released(folder, "1.0.0")
    assert list(check_schemas(folder)) == []
    edit(folder, lambda d: put(d, "reason", description="Another word."))
    assert list(check_schemas(folder)) == [
        "1.0.0/removal.schema.json is not as it was released; make a new version instead"
    ]
    (folder / "1.0.0/removal.schema.json").unlink()
    assert "1.0.0/removal.schema.json is not as it was" in next(check_schemas(folder))
    shutil.rmtree(folder / "1.0.0")
    assert "1.0.0 was released, and is gone" in list(check_schemas(folder))


WRONG: dict[str, tuple[Change, str]] = {
    "no schema": (lambda d: d["properties"]["rule"].update(type="text"), "removal@1.0.0"),
    "what Arrow can't hold": (
        lambda d: put(d, "rule", type=["string", "integer"]),
        "Arrow can't hold a column of mixed types",
    ),
    "an example that breaks it": (
        lambda d: d["examples"][0].update(rule="NOT A RULE"),
        "its example is not valid",
    ),
    "no example": (lambda d: d.pop("examples"), "has no example"),
    "no identifier": (lambda d: d.pop("$id"), "it has no $id"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_keeps_a_schema_back(name: str, folder: Path) -> None:
    change, words = WRONG[name]
    edit(folder, change)
    assert words in "\n".join(check_schemas(folder))


def test_a_version_without_a_word_in_the_changelog_is_kept_back(folder: Path) -> None:
    changelog = folder.parent / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n- Schemas 0.9.0.\n")
    assert list(check_schemas(folder, changelog)) == ["CHANGELOG.md says nothing of Schemas 1.0.0"]


def test_a_new_field_that_may_be_null_needs_no_function_and_another_one_does(
    folder: Path,
) -> None:
    new_version(folder, "1.1.0", nullable)
    new = read_schemas(folder, "1.1.0")["removal"]
    moved = migrate_record(example("removal"), [new])
    assert (moved["note"], moved["schema_version"]) == (None, "1.1.0")
    assert Validator(new).faults(moved) == []
    shutil.rmtree(folder / "1.1.0")
    new_version(folder, "1.1.0", compulsory)
    assert "note is new and can't be null" in "\n".join(check_schemas(folder))
    new = read_schemas(folder, "1.1.0")["removal"]
    by_hand = {("removal", "1.1.0"): lambda record: {**record, "note": "unknown"}}
    assert migrate_record(example("removal"), [new], by_hand)["note"] == "unknown"


@given(
    reason=st.text(max_size=40),
    measure=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_is_valid_before_a_migration_is_valid_after_it(
    tmp_path_factory: pytest.TempPathFactory, reason: str, measure: float | None
) -> None:
    schemas = tmp_path_factory.getbasetemp() / "property"
    if not schemas.exists():
        shutil.copytree(shipped("schemas") / "1.0.0", schemas / "1.0.0")
        new_version(schemas, "1.1.0", nullable)
    old, new = (read_schemas(schemas, each)["removal"] for each in ("1.0.0", "1.1.0"))
    record = example("removal", reason=reason, measure=measure)
    assert Validator(old).faults(record) == []
    moved = migrate_record(record, [new])
    assert Validator(new).faults(moved) == []
    assert {**record, "schema_version": "1.1.0", "note": None} == moved


def test_a_file_goes_forward_as_a_whole_or_not_at_all(folder: Path) -> None:
    new_version(folder, "1.1.0", nullable)
    path = write_lines(folder.parent / "old.jsonl", [example("removal")] * 3)
    out = folder.parent / "new.jsonl"
    done = davinci("schema", "migrate", path, "--record", "removal", "--out", out,
                   "--schemas", folder, "--json")  # fmt: skip
    assert (done.code, done.summary["out"], done.summary["version"]) == (0, 3, "1.1.0")
    assert {row["schema_version"] for row in read_lines(out)} == {"1.1.0"}
    with pytest.raises(DataError, match=r"new\.jsonl:1: it is of 1\.1\.0, newer than 1\.0\.0"):
        migrate_file(out, folder.parent / "back.jsonl", "removal", "1.0.0", folder)
    write_lines(path, [example("removal"), {"schema_version": "7.0.0"}])
    with pytest.raises(DataError, match=r"old\.jsonl:2: .*'7\.0\.0', which nobody knows"):
        migrate_file(path, folder.parent / "none.jsonl", "removal", None, folder)
    assert not (folder.parent / "none.jsonl").exists()
    with pytest.raises(SchemaError, match="There is no record 'remove'"):
        migrate_file(path, out, "remove", None, folder)


def test_the_commands(folder: Path) -> None:
    new_version(folder, "1.1.0", nullable)
    done = davinci("schema", "diff", "1.0.0", "1.1.0", "--schemas", folder)
    assert "minor removal $.note: it is new" in done.stdout
    assert davinci("schema", "diff", "1.0.0", "9.0.0").code == 1
    assert davinci("schema", "check", "--schemas", folder, "--lock", "1.1.0").code == 0
    assert davinci("schema", "check", "--schemas", folder, "--released", "1.1.0").code == 0
    done = davinci("schema", "check", "--schemas", folder, "--released", "1.0.0", "--json")
    assert (done.code, len(done.summary["faults"])) == (1, 1)
