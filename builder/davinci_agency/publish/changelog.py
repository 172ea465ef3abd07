"""The dataset's own changelog: a section for each version, the newest first; pure."""

from __future__ import annotations

from davinci_agency.publish.versions import Version
from davinci_agency.release import Manifest

_HEAD = "# Changelog\n\nVersions of this dataset, the newest first.\n"


def with_section(changelog: str, version: Version, before: Manifest | None, after: Manifest) -> str:
    """Return a changelog with a section on a new version at its top."""
    return _insert(changelog, f"## {version.tag}\n\n{_changes(before, after)}")


def with_withdrawal(changelog: str, version: Version, why: str) -> str:
    """Return a changelog with a section that says that a version was withdrawn."""
    return _insert(changelog, f"## {version.tag} withdrawn\n\n{why}\n")


def _insert(changelog: str, section: str) -> str:
    earlier = changelog.removeprefix(_HEAD)
    return f"{_HEAD}\n{section}{earlier}"


def _changes(before: Manifest | None, after: Manifest) -> str:
    if before is None:
        return "First release.\n" + "".join(
            f"- `{config}`: {rows:,} rows\n" for config, rows in after.rows.items() if rows
        )
    lines = []
    for config in after.rows:
        old, new = before.rows.get(config, 0), after.rows[config]
        digests = [[s.sha256 for s in each.shards_of(config)] for each in (before, after)]
        if old != new:
            lines.append(f"- `{config}`: {new:,} rows, {new - old:+,}\n")
        elif digests[0] != digests[1]:
            lines.append(f"- `{config}`: {new:,} rows, some of them changed\n")
    if before.schema_version != after.schema_version:
        lines.append(f"- Schemas {after.schema_version}, after {before.schema_version}.\n")
    return "".join(lines) or "The same rows; the card says something else.\n"
