"""What an agent is told after a go: the judge's comment, free of the true patch; pure.

What the agent can know is no leak: the files that its own patch touches, and the words of its patch
and of the query.
"""

from __future__ import annotations

import re
from dataclasses import replace

from davinci_agency.leaks import Leak, Secrets, find_leaks
from davinci_agency.records import TaskStage

NOTHING_TO_TELL = (
    "The work was looked at and is not accepted: it does not do all that was asked for, or not in "
    "every case. Read the request again, check each of its points, and try the edges."
)
_WORD = re.compile(r"[^\W\d]\w+")
_FILE = re.compile(r"^diff --git a/(.+?) b/", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def secrets_from(stage: TaskStage, patch: str) -> Secrets:
    """Return what must not be told to an agent that made a patch."""
    touched = set(_FILE.findall(patch))
    files = tuple(file for file in stage.files if file.path not in touched)
    known = frozenset(_WORD.findall(patch)) | frozenset(_WORD.findall(stage.query))
    return Secrets([replace(stage, files=files)], known)


def complaint(leaks: list[Leak]) -> str:
    """Return what a judge is told of its leaks."""
    listed = "\n".join(sorted({f"- {leak.kind}: {leak.text[:200]}" for leak in leaks[:12]}))
    return (
        f"These words of the comment give the true patch away:\n{listed}\nSay what is meant in "
        "plain words, seen from outside, and answer with the whole JSON object again."
    )


def without_leaks(comment: str, secrets: Secrets) -> str:
    """Return the sentences of a comment that give nothing away; never nothing at all."""
    kept = [
        sentence
        for sentence in _SENTENCE.split(comment.strip())
        if sentence and not find_leaks(sentence, secrets)
    ]
    text = " ".join(kept)
    # What is harmless by itself may not be so beside its neighbour.
    return text if text and not find_leaks(text, secrets) else NOTHING_TO_TELL
