"""The branch for `datasets` before 4: the loading script, and the columns it can't ask for; pure.

Old clients copy a script and the modules that it imports, and nothing else, so all that it needs of
the release stands in a generated ``columns.py`` beside it.
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from davinci_agency.release import CONFIGS, Manifest
from davinci_agency.schema import CURRENT_VERSION, load_schema
from davinci_agency.schema.arrow import arrow_schema

BRANCH = "script"
SCRIPT = "davinci_agency_dataset.py"
COLUMNS = "columns.py"

_HEAD = '''"""Made from the schemas {schema_version} by davinci-agency; change those instead."""

# fmt: off
'''
_README = """---
tags: [davinci-agency]
---

# {repository} for old clients

This branch is for `datasets` 2.x and 3.x alone. From 4.7 on you don't need it: use `main` or a
tag.

```python
load_dataset("{repository}", "{config}", revision="script", trust_remote_code=True)
```

It reads release v{version}; the tag `script-v{version}` does so forever. JSON values arrive as
strings, and lists of structures as lists.
"""


def columns_module(manifest: Manifest | None = None) -> str:
    """Return the module that tells the loading script where a release is and what its columns are.

    Without a manifest the script reads a release in a folder (``data_dir``).
    """
    version = manifest.schema_version if manifest else CURRENT_VERSION
    values: dict[str, Any] = {
        "REPOSITORY": manifest.repository if manifest else None,
        "VERSION": (manifest.version if manifest else None) or "0.0.0",
        "SHARDS": _shards(manifest) if manifest else {},
        "CONFIGS": dict(CONFIGS),
        "COLUMNS": {
            record: _struct(arrow_schema(load_schema(record, version)))
            for record in dict.fromkeys(CONFIGS.values())
        },
    }
    return _HEAD.format(schema_version=version) + "".join(
        f"{name} = {pprint.pformat(value, width=99, sort_dicts=False)}\n"
        for name, value in values.items()
    )


def script_readme(manifest: Manifest) -> str:
    """Return the words on the branch."""
    return _README.format(
        repository=manifest.repository,
        version=manifest.version,
        config=next((config for config, rows in manifest.rows.items() if rows), "tasks"),
    )


def _shards(manifest: Manifest) -> Mapping[str, Mapping[str, list[str]]]:
    return {
        config: {
            split: [shard.path for shard in shards]
            for split, shards in manifest.splits_of(config).items()
        }
        for config, rows in manifest.rows.items()
        if rows
    }


def _struct(fields: pa.Schema | pa.StructType) -> dict[str, Any]:
    return {field.name: _feature(field.type) for field in fields}


def _feature(kind: pa.DataType) -> Any:
    """Return a type as the script's own words: a name, a list of one, or a dictionary."""
    if isinstance(kind, pa.BaseExtensionType):
        return _feature(kind.storage_type)
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return _struct(kind)
    return {pa.float64(): "float64"}.get(kind, str(kind))
