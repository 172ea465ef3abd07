"""What a commit message says of the pull request that it merges; pure.

Read are GitHub's own merges and squashes, the merge bots bors, bors-ng and homu, the lines with
which Apache projects close what they land, and trailers with a pull request's address. A message
is only a claim: `davinci_agency.mine.verify` holds it against the pull request's head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from davinci_agency.mine.history import body_of, subject_of
from davinci_agency.records import FoundBy

_NUMBER = rb"([1-9]\d{0,8})"
_NAME = rb"([\w.-]{1,100}/[\w.-]{1,100})"
_MERGE = re.compile(rb"Merge pull request " + _NAME + rb"?#" + _NUMBER + rb" from \S")
_HOMU = re.compile(rb"auto merge of " + _NAME + rb"?#" + _NUMBER + rb"(?: ?[-:] |$)", re.IGNORECASE)
_BORS = re.compile(rb"(?:\[bors\] )?(?:Merge|Try merge) #" + _NUMBER + rb"((?: #\d{1,9})*)$")
_SQUASH = re.compile(rb"^(.*\S)\s*\(" + _NAME + rb"?#" + _NUMBER + rb"\)$", re.DOTALL)
_TRAILER = re.compile(
    rb"^(?:PR-URL|Pull-Request|Pull Request resolved|Reviewed-on|"
    rb"FUTURE_COPYBARA_INTEGRATE_REVIEW=?|Imported from GitHub PR):? ?"
    rb"https?://[\w.:-]{1,100}/" + _NAME + rb"/pull/" + _NUMBER + rb"\b",
    re.MULTILINE,
)
_SHORT_TRAILER = re.compile(rb"^PR-URL: ?" + _NAME + rb"?#" + _NUMBER + rb"$", re.MULTILINE)
_CLOSES_FROM = re.compile(
    rb"^(?:This )?closes " + _NAME + rb"?#" + _NUMBER + rb" from [\w.-]{1,100}[/:]\S",
    re.MULTILINE | re.IGNORECASE,
)
_THIS_CLOSES = re.compile(
    rb"^This (?:patch |commit )?closes " + _NAME + rb"?#" + _NUMBER + rb"\b",
    re.MULTILINE | re.IGNORECASE,
)
_BORS_TITLE = re.compile(rb"^(\d{1,9}): (.*?)(?: r=\S+)?(?: a=\S+)?$", re.MULTILINE)
_PICKED = re.compile(rb"^\(cherry picked from commit ([0-9a-f]{7,64})\)", re.MULTILINE)
_BACKPORT = re.compile(
    rb"\bback-?port(?:s|ed|ing)?\b[ :]*(?:of |from )?(?:PR |pull request )?"
    rb"(?:gh-|#|[\w.-]{1,100}/[\w.-]{1,100}#|https?://\S{1,200}/pull/)" + _NUMBER,
    re.IGNORECASE,
)
_REVERTED_COMMIT = re.compile(rb"This reverts commit ([0-9a-f]{7,64})")
_REVERTED_PULL = re.compile(rb"^Reverts " + _NAME + rb"?#" + _NUMBER + rb"$", re.MULTILINE)
_REVERT_SUBJECT = re.compile(rb"^revert\b", re.IGNORECASE)
_QUOTED_NUMBER = re.compile(rb"\(?#" + _NUMBER + rb"\)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """A claim that a commit merges a pull request.

    Attributes:
        number: the pull request's number.
        found_by: the kind of the claim.
        title: its title as the message has it, undecoded; empty where it has none.
        body: what else the message says.
        repo: the repository that it names, lower case; ``None`` if it names none.
        others: further numbers that the same commit merges.
    """

    number: int
    found_by: FoundBy
    title: bytes
    body: bytes
    repo: str | None = None
    others: tuple[int, ...] = ()


def read_trace(message: bytes) -> Trace | None:
    """Return what a commit's message claims; the strongest claim if there are several."""
    if b"#" not in message and b"/pull/" not in message:
        return None
    # What was typed into a browser has its line ends.
    message = message.replace(b"\r\n", b"\n")
    subject = subject_of(message)
    if match := _MERGE.match(subject):
        return _of_merge(message, "merge-subject", match[1], match[2])
    if match := _HOMU.match(subject):
        return _of_merge(message, "homu", match[1], match[2])
    if match := _BORS.fullmatch(subject):
        return _of_bors(message, int(match[1]), match[2])
    if match := _SQUASH.match(subject):
        repo = _repo(match[2])
        return Trace(int(match[3]), "squash-subject", match[1], body_of(message), repo)
    for pattern, found_by in _IN_BODIES:
        if match := pattern.search(message):
            return Trace(int(match[2]), found_by, subject, body_of(message), _repo(match[1]))
    return None


_IN_BODIES: tuple[tuple[re.Pattern[bytes], FoundBy], ...] = (
    (_TRAILER, "trailer"),
    (_SHORT_TRAILER, "trailer"),
    (_CLOSES_FROM, "closing-line"),
    (_THIS_CLOSES, "closing-line"),
)


def _repo(name: bytes | None) -> str | None:
    return name.decode(errors="replace").lower() if name else None


def _of_merge(message: bytes, found_by: FoundBy, name: bytes | None, number: bytes) -> Trace:
    title, _, body = body_of(message).partition(b"\n")
    return Trace(int(number), found_by, title.strip(), body.strip(), _repo(name))


def _of_bors(message: bytes, number: int, more: bytes) -> Trace:
    others = tuple(int(other) for other in more.replace(b"#", b"").split())
    titles = {int(match[1]): match[2] for match in _BORS_TITLE.finditer(message)}
    _, _, body = body_of(message).partition(b"\n")
    return Trace(number, "bors", titles.get(number, b"").strip(), body.strip(), None, others)


def picked_from(message: bytes) -> list[str]:
    """Return the commits, perhaps shortened, that ``git cherry-pick -x`` says a commit is from."""
    return [match[1].decode() for match in _PICKED.finditer(message)]


def backported_number(text: bytes) -> int | None:
    """Return the number of the pull request that a text says it brings to an older branch.

    >>> backported_number(b"Backport of #123 to 1.2"), backported_number(b"See #123")
    (123, None)
    """
    match = _BACKPORT.search(text)
    return int(match[1]) if match else None


def reverted(subject: bytes, body: bytes) -> tuple[list[str], list[int]]:
    """Return the commits and the pull requests that a message says it takes back.

    >>> reverted(b'Revert "Add a (#3)"', b"This reverts commit 0123456789.")
    (['0123456789'], [3])
    """
    if not _REVERT_SUBJECT.match(subject):
        return [], []
    body = body.replace(b"\r\n", b"\n")
    commits = [match[1].decode() for match in _REVERTED_COMMIT.finditer(body)]
    numbers = [int(match[2]) for match in _REVERTED_PULL.finditer(body)]
    # Within the quotes stands the title of what is taken back; its own number is the last.
    quoted = subject[subject.find(b'"') + 1 : subject.rfind(b'"')] if b'"' in subject else subject
    named = [int(match[1]) for match in _QUOTED_NUMBER.finditer(quoted)]
    numbers += named[-1:] if _REVERT_SUBJECT.match(quoted) and b'"' in subject else named
    return commits, list(dict.fromkeys(numbers))
