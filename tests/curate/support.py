"""Whole little corpora for curation, and what comes out of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from davinci_agency.curate import FILES, CurateInputs, CurateOptions, select_samples
from davinci_agency.parallel import Pool
from davinci_agency.stage import Summary
from tests import samples
from tests.curate.attempts import turns

Json = dict[str, Any]

_WORDS = (  # noqa: SIM905 - easier to read
    "anvil bellows chisel drill ember forge grate hammer ingot jig kiln lathe mallet nozzle oven "
    "plier quench rivet solder tongs urn vice weld axle yoke zinc bolt crank disc flange gasket "
    "hinge joint knob lever motor nut piston roller shaft thread valve washer spring pulley gear"
).split()


def prose(seed: str, words: int = 60) -> str:
    """Return words that depend on a seed: two seeds share hardly a pair of neighbours."""
    source = random.Random(seed)  # noqa: S311
    return " ".join(
        f"{source.choice(_WORDS)}_{source.choice(_WORDS)}_{source.randrange(1000)}"
        for _ in range(words)
    )


def patch(path: str, added: Sequence[str], context: str = "def forge():") -> str:
    """Return a patch that adds lines to a file, as git prints it."""
    lines = "".join(f"+{line}\n" for line in added)
    return (
        f"diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -1,1 +1,{len(added) + 1} @@\n {context}\n{lines}"
    )


def words_patch(seed: str, lines: int = 6) -> str:
    """Return a patch whose added lines depend on a seed."""
    return patch("forge.py", [f"    {prose(f'{seed}/{n}', 6)}" for n in range(lines)])


def pull(number: int, **changes: Any) -> Json:
    """Return a pull request that has nothing in common with others."""
    values = {
        "repo": "acme/anvil",
        "number": number,
        "title": f"Mend {number}",
        "body": prose(f"body {number}", 20),
        "merged_at": f"2024-01-{number % 27 + 1:02d}T00:00:00Z",
        "base_commit": f"{number:040x}",
        "merge_commit": f"{number + 7_000_000:040x}",
        "license": "MIT",
        "patch": words_patch(f"pull {number}"),
        "test_patch": "",
        "backport_of": None,
        "stacked_on": None,
        "closes": [],
        "commits": [],
        "discussion": [],
        "gaps": [],
        "author_id": "0" * 16,
        "login_id": None,
        **changes,
    }
    return samples.example("pull-request", **values)


def task(*pulls: Json, kind: str | None = None, **changes: Any) -> Json:
    """Return the task of some pull requests."""
    whole = samples.example("task")
    numbers = [each["number"] for each in pulls]
    stage = whole["stages"][0]
    shared = ("number", "title", "merged_at", "base_commit", "merge_commit", "patch", "test_patch")
    stages = [
        {**stage, **{key: each[key] for key in shared}, "query": prose(f"query {each['number']}")}
        for each in pulls
    ]
    return {
        **whole,
        "task_id": "task-" + "-".join(map(str, numbers)),
        "chain_id": "chain-" + "-".join(map(str, numbers)),
        "kind": kind or ("single-pr" if len(pulls) == 1 else "semantic-chain"),
        "repo": pulls[0]["repo"],
        "license": pulls[0]["license"],
        "split_group": pulls[0]["repo"],
        "stages": stages,
        "edges": [],
        **changes,
    }


def attempt(task_id: str, name: str = "a", stages: int = 1, **changes: Any) -> Json:
    """Return an attempt that has nothing in common with others."""
    seed = f"{task_id} {name}"
    lines = [f"    {prose(f'{seed}/{n}', 6)}" for n in range(4)]
    made = changes.pop("model_patch", patch("forge.py", lines))
    calls = changes.pop("calls", None) or [
        ("cat forge.py", prose(f"{seed} file", 80)),
        (f"cat > forge.py <<'E'\n{chr(10).join(lines)}\nE", "ok"),
        ("python -m pytest", f"{prose(f'{seed} log', 30)} 3 passed in 0.31s, see /tmp/abc/log"),
    ]
    messages = changes.pop("messages", None) or turns(*calls)
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["id"] = f"{name}_{call['id']}"
        if "tool_call_id" in message:
            message["tool_call_id"] = f"{name}_{message['tool_call_id']}"
    parts = [
        {
            "message_start": 0 if number == 0 else len(messages),
            "message_end": len(messages),
            "model_patch": made,
            "exit_status": "Submitted",
        }
        for number in range(stages)
    ]
    values = {
        "messages": messages,
        "stages": parts,
        "model_patch": made,
        "exit_status": "Submitted",
        "num_tokens": None,
        "metadata": {},
        "tools": [],
        **changes,
    }
    return samples.attempt(f"attempt-{task_id}-{name}", task_id, **values)


@dataclass(frozen=True, slots=True)
class Curated:
    """What came out: the records, the receipts, the account."""

    pulls: list[Json]
    tasks: list[Json]
    attempts: list[Json]
    receipts: list[Json]
    summary: Summary

    @property
    def gone(self) -> dict[str, str]:
        """The rule by which each removed record went."""
        return {receipt["record_id"]: receipt["rule"] for receipt in self.receipts}

    @property
    def kept(self) -> list[str]:
        """What every record is called that stays, in order."""
        return [
            *(f"{each['repo']}#{each['number']}" for each in self.pulls),
            *(each["task_id"] for each in self.tasks),
            *(each["attempt_id"] for each in self.attempts),
        ]

    @property
    def records(self) -> tuple[list[Json], list[Json], list[Json]]:
        """All that stays, to be curated again."""
        return self.pulls, self.tasks, self.attempts


def curate(
    folder: Path,
    pulls: Sequence[Json] = (),
    tasks: Sequence[Json] = (),
    attempts: Sequence[Json] = (),
    *,
    after: Path | None = None,
    workers: int = 1,
    **options: Any,
) -> Curated:
    """Curate records, and return what came out."""
    folder.mkdir(parents=True, exist_ok=True)
    named = (("p.jsonl", pulls), ("t.jsonl", tasks), ("a.jsonl", attempts))
    p, t, a = (samples.write_lines(folder / name, records) for name, records in named)
    inputs = CurateInputs((p,), (t,), (a,), after)
    out = folder / "curated"
    with Pool(workers) as engine:
        summary = select_samples(inputs, out, CurateOptions(**options), engine=engine)
    kept_pulls, kept_tasks, kept_attempts = (
        samples.read_lines(out / name) for name in FILES.values()
    )
    receipts = samples.read_lines(folder / "curated.removed.jsonl")
    return Curated(kept_pulls, kept_tasks, kept_attempts, receipts, summary)
