"""Rows as slime takes them: JSON Lines with messages, tools and metadata; pure.

    --input-key messages --tool-key tools --metadata-key metadata

Arguments of calls are objects, as templates want them; messages are as the release has them.
"""

from __future__ import annotations

from davinci_agency.records import JsonObject

_ABOUT = (
    "sample_id", "task_id", "chain_id", "kind", "repo", "license", "language", "score", "resolved",
    "model", "num_turns", "num_tokens",
)  # fmt: skip


def line_of(row: JsonObject) -> JsonObject:
    """Return a sample as a line."""
    return {
        "messages": row["messages"],
        "tools": row["tools"],
        "metadata": {name: row[name] for name in _ABOUT},
    }
