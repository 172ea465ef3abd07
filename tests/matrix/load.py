"""Load every config of a published release, three ways, and print its rows' digests as JSON.

Run by the test beside it in environments of their own: it imports nothing but `datasets`.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import datasets


def plain(value: Any, key: str = "") -> Any:
    """Return a value in JSON's types; JSON that came as a string is read."""
    if isinstance(value, dict):
        return {name: plain(inner, name) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [plain(inner, key) for inner in value]
    if key in ("messages", "tools", "metadata") and isinstance(value, str):
        return plain(json.loads(value))
    return value.isoformat() if hasattr(value, "isoformat") else value


def main(name: str, *configs: str) -> None:
    """Load them from ``main``'s first tag, with old clients from the script's, or from a folder."""
    old = int(datasets.__version__.split(".", maxsplit=1)[0]) < 4
    how = {"revision": "script-v1.0.0", "trust_remote_code": True} if old else {}
    how = {} if Path(name).is_dir() else how or {"revision": "v1.0.0"}
    found = {}
    for config in configs:
        whole = [plain(row) for row in datasets.load_dataset(name, config, split="train", **how)]
        streamed = datasets.load_dataset(name, config, split="train", streaming=True, **how)
        if [plain(row) for row in streamed] != whole:
            sys.exit(f"{config} streams other rows")
        first = datasets.load_dataset(name, config, split="train[:2]", **how)
        if [plain(row) for row in first] != whole[:2]:
            sys.exit(f"{config}: train[:2] gives other rows")
        found[config] = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
