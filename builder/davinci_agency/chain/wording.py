"""What the words around a number state of the pull request that it names; pure.

A relation is taken only from words that state one. Whether "introduced in #12" is said of a fault,
the rest of its sentence tells, or what the text says of itself at its beginning (`is_repair`).
"""

from __future__ import annotations

import re
from typing import Literal

Relation = Literal[
    "fixes",
    "supersedes",
    "depends-on",
    "follows-up",
    "reverts",
    "backports",
    "brought",
    "names",
    "compares",
]
"""What is said of the one that is named. ``brought``: that something came with it; ``names``:
nothing; ``compares``: that something is like it."""

_BEFORE = 160
_AFTER = 80
"""Characters before and after a number whose words belong to it."""
_HEAD = 600
"""Characters of a description in which people say what is wrong, before they say what they do."""

_FAULT = r"""(?:
    regress(?:ed|ion)\w* | br(?:eaks?|oken?)\b | missed\b | forg[eo]t\w* | bug(?:s|gy)?\b
    | overlook\w* | oversight | omission | typo | mistake\w* | wrong\w* | accidental\w*
    | inadvertent\w* | unintention\w* | crash\w* | snuck[ ]in | slipped | leak\w* | incorrect\w*
    | fail(?:s|ed|ing|ures?)\b | slow(?:er|down)s?\b
)"""
_OF_A_FAULT = re.compile(rf"\b{_FAULT}", re.VERBOSE)
_WORDS: tuple[tuple[Relation, str], ...] = (
    ("reverts", r"revert(?:s|ed|ing)?\b"),
    ("backports", r"backport(?:s|ed|ing)?\b | cherry.?pick\w*"),
    (
        "supersedes",
        r"""(?: supersed(?:es?|ing) | replaces | obsoletes | alternative[ ]to )
            (?:[ ](?:the|pr|pull[ ]request|patch|fix|changes?|in|of|from)){0,3}\W*$""",
    ),
    (
        "follows-up",
        r"""follow(?:s|ing|ed)?[ -]?(?:up|on)\b | follow(?:s|ing|ed)?(?:[ ](?:pr|from|the))?\W+$
            | continu(?:es|ed|ing|ation)\b | builds?[ ](?:up)?on\b | on[ ]top[ ]of
            | addendum | supplement | sequel | part[ ](?:\d|two|three|four|five)[ ]of
            | completes?\b | finish(?:es|ing)?\b | extends?\b | left[ ]?over | next[ ]step
            | promised | (?:mentioned|discussed|suggested|requested)[ ]in | suggestions?\b
            | comments?[ ](?:of|on|in|from)\b | rest[ ]of | meant[ ]to
            | address(?:es|ing)?[ ](?:\w+[ ]){0,3}(?:comment|review|feedback)
            | clean(?:s|ed|ing)?[ -]?up\b""",
    ),
    (
        "depends-on",
        r"""depend(?:s|ing|ed|ent|ency)?[ ](?:up)?on\b | requires?\b | needs\b
            | needed[ ](?:for|by|in)\b | based[ ]on\b | blocked[ ](?:by|on)\b
            | stacked[ ]on\b | unblocks?\b | prerequisite | prepar\w+ | precursor
            | split(?:ting)?[ ](?:\w+[ ]){0,2}(?:out|off|of|from|into)\b
            | extracted[ ]from | factored[ ]out | made[ ]possible | enabled[ ]by
            | possible[ ](?:with|by|after)\b | now[ ]that\b""",
    ),
    (
        "brought",
        r"""(?:introduc|add|creat|chang|mov|remov|merg|made|broke|com)\w*
            [ ](?:\w+[ ]){0,3}(?:in|by|with|from|on|since|after)\W*(?:\w+[ ]){0,2}$
            | (?:since|after|before|due[ ]to|because[ ]of|(?:a|the)[ ]result[ ]of|as[ ]of)
              \W*(?:\w+[ ]){0,2}$""",
    ),
    (
        "fixes",
        rf"""fix(?:es|ing|up)?\b(?![ ](?:in|by|from|was)\b) | correct(?:s|ed|ing|ion)\b
            | undo(?:es|ing)?\b | caused?[ ]by | missing[ ](?:in|from)\b | {_FAULT}""",
    ),
)
_STATEMENTS = tuple(
    (relation, re.compile(rf"\b(?:{words})", re.VERBOSE)) for relation, words in _WORDS
)
_BLAMES = re.compile(
    r"\W*(?:\w+ ){0,6}?(?:got|broke|breaks|forgot|missed|wrong\w*|incorrect\w*|regress\w*|caused"
    r"|introduced an? (?:\w+ )?(?:bug|regression)|but (?:forgot|missed|not|left|did))\b"
)
_LIKENS = re.compile(
    r"\b(?:like|similar(?:ly)?(?: \w+){0,3}|same(?: \w+){0,4}|as in|just as|analog\w*|cf|e\.g"
    r"|unlike|compared? (?:to|with)|consistent with|inspired by|parallel to|akin to)\W*$"
)
_ASIDE = re.compile(
    r"\b(?:also|related to|(?:seen|spotted|noticed) in|by-?product of|while (?:\w+ ){1,3}"
    r"|pattern)\W*$"
)
_REPAIR = re.compile(
    r"\b(?:fix(?:es|ed|ing|up)?|bug(?:s|fix)?|hotfix|regress\w*|crash\w*|leaks?|typos?|broken|wrong\w*"
    r"|incorrect\w*|invalid|missing|prevent\w*|repair\w*|correct(?:s|ed|ly)?|errors?|fail\w*|panic\w*"
    r"|races?|deadlock\w*|segfault\w*|overflow\w*|mistake\w*|oversight|avoid(?:s|ing)?|hangs?|stuck"
    r"|make sure|ensure|don't|do not|unintend\w*|restore\w*|properly|flak\w*|unbreak)\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:bugs?|regress\w*|crash\w*|wrong\w*|incorrect\w*|fail\w*|broken?|breaks?|leak\w*|error\w*"
    r"|problem\w*|issue|overflow\w*|assert\w*|invalid|mistake\w*|fix(?:es|ed|ing)?|should(?:n't)?"
    r"|unexpected\w*|(?:not |un)necessar\w*)\b",
    re.IGNORECASE,
)


def is_repair(title: str, body: str) -> bool:
    """Tell whether a pull request says at its beginning that something was wrong.

    >>> is_repair("BUG: Rounding loses a digit", ""), is_repair("ENH: Round faster", "It is slow.")
    (True, False)
    """
    return bool(_REPAIR.search(title) or _TROUBLE.search(body[:_HEAD]))


def relation(before: str, after: str) -> Relation:
    """Return what the words before and after a number say; the statement nearest to it decides.

    >>> relation("this is a follow-up to ", ", which was slow")
    'follows-up'
    >>> relation("The same as ", "")
    'compares'
    """
    before = " ".join(before[-_BEFORE:].lower().split()) + " "
    if _LIKENS.search(before):
        return "compares"
    places = [
        (match.start(), said) for said, words in _STATEMENTS for match in words.finditer(before)
    ]
    said = max(places)[1] if places else "names"
    if said == "brought" and _OF_A_FAULT.search(before):
        return "fixes"
    if said == "names" and _BLAMES.match(" ".join(after[:_AFTER].lower().split())):
        return "fixes"
    if said == "names" and _ASIDE.search(before):
        return "compares"
    return said
