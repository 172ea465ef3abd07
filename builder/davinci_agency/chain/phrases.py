"""Forms of words that tell what one pull request says of another; pure data.

They were chosen by reading 812 passages of numpy's, redis's, ruff's, tokio's and prefect's pull
requests, none of which are in ``tests/chain/truth``. All are searched for in a few hundred
lower-case characters at most, so that none takes long.
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
    "split",
    "brought",
    "changed",
    "when",
    "tells",
    "names",
    "compares",
]
"""What is said of the one that is named. ``split``: that the speaker was split from it;
``brought``: that something was added by it; ``changed``: that something else was done by it;
``when``: that something was so before, after or because of it; ``tells``: something of no
consequence for the two; ``names``: nothing; ``compares``: that something is like it."""

Forms = tuple[tuple[Relation, re.Pattern[str]], ...]

_WRONG = r"""(?:
    regress(?:ed|ion)\w* | br(?:eaks?|oken?|eaking)\b | missed\b | forg[eo]t\w* | bug(?:s|gy)?\b
    | overlook\w* | oversight | omission | omitted | typos?\b | mist[a-z]{0,4}k\w* | wrong\w*
    | accident\w* | inadvertent\w* | uninten\w* | err?ant\w* | erroneous\w* | crash\w*
    | snuck[ ]in | sneaked[ ]in | slipped | leak\w* | incorrect\w* | fail(?:s|ed|ing|ures?)\b
    | slow(?:er|down)s?\b | should[ ]have | not[ ]caught | bad[ ]commit | problems?\b | degrad\w*
    | panic\w* | caus(?:es|ed|ing)\b
)"""
FAULT = re.compile(rf"\b{_WRONG}", re.VERBOSE)
"""That something is wrong."""
_GAP = r"(?:\w[\w.'\u2019-]*[ ])"
"""A word between two that belong together."""
_WORDS: tuple[tuple[Relation, str], ...] = (
    ("reverts", r"revert(?:s|ed|ing)?\b"),
    ("backports", r"backport(?:s|ed|ing)?\b | cherry.?pick\w*"),
    (
        "supersedes",
        r"""(?: supersed(?:es?|ing) | replac(?:es|ing) | obsoletes | alternative[ ](?:to|for)
            | instead[ ]of | (?:different|another)[ ](?:solution|approach)[ ](?:to|for) )
            (?:[ ](?:the|pr|pull[ ]request|patch|fix|changes?|in|of|from)){0,3}\W*$""",
    ),
    (
        "follows-up",
        rf"""follow(?:s|ing|ed)?[ -]?(?:ups?|ons?)\b | follows?(?:[ ](?:pr|from|the))?\W+$
            | (?:is|^)\W*following(?:[ ]pr)?\W*$
            | continu(?:es|ed|ing|ation)\b | addendum | supplement | sequel | redo[ ]of
            | complements?\b | following[ ](?:on|from|up)\b
            | (?:addition|append(?:ix)?)[ ](?:to|for)\b | improves\W*$
            | part[ ](?:\d|two|three|four|five)[ ]of | complet(?:es?|ing)\b | finish(?:es|ing)?\b
            | extends?\b | left[ ]?overs? | next[ ]step | left[ ]unfinished
            | todos?\b | promised
            | (?:mentioned|discussed|suggested|requested|noted|noticed|identified)[ ]
              {_GAP}{{0,3}}(?:in|on|at)\b
            | discussions?\b | suggestions?\b | recommend\w* | feedback\b
            | comments?[ ](?:of|on|in|from|by)\b | comments?\W*$ | rest[ ]of | meant[ ]to
            | address(?:es|ing)?[ ]{_GAP}{{0,3}}(?:comments?|review|feedback)
            | address(?:es|ing)?\W*$ | review\b | clean(?:s|ed|ing)?[ -]?up\b""",
    ),
    (
        "depends-on",
        r"""depend(?:s|ing|ed|ent|ency)?[ ](?:up)?on\b | requires?\b | needs\b
            | needed[ ](?:for|by|in)\b | based[ ](?:up)?on\b | blocked[ ](?:by|on)\b
            | stacked[ ](?:up)?on\b | on[ ]top[ ]of(?:[ ](?:pr|the))?\W*$
            | buil(?:ds?|ding|t)[ ](?:up)?on\b
            | unblocks?\b | prerequisite | prepar\w+ | precursor | pre-?work
            | made[ ]possible | enabled[ ]by | rebase\w* | thanks[ ]to
            | possible[ ](?:with|by|after)\b | now[ ](?:that|with)\b
            | helpers?[ ]from\W*$""",
    ),
    (
        "split",
        rf"""split(?:ting)?[ ]{_GAP}{{0,2}}(?:out|off|of|from|into)\b
            | extract(?:s|ed|ing)?[ ]{_GAP}{{0,5}}(?:from|out)\b | factored[ ]out | pulled[ ]out""",
    ),
    (
        "brought",
        rf"""(?:introduc|add|creat|implement)\w*
            [ ]{_GAP}{{0,6}}(?:in|by|with|from|on|at|via|since)\W*{_GAP}{{0,3}}\W*$""",
    ),
    (
        "changed",
        rf"""(?:chang|mov|remov|delet|merg|made|broke|coming|comes?\b|came|refactor
            |start|land|deprecat|renam|updat|switch|migrat|commit|originat|enabl)\w*
            [ ]{_GAP}{{0,6}}(?:in|by|with|from|on|at|via|since)\W*{_GAP}{{0,3}}\W*$""",
    ),
    (
        "when",
        rf"""(?:since|after|before|prior[ ]to|due[ ]to|because[ ]of|(?:a|the)[ ]result[ ]of
            |as[ ]of|(?<!is[ ])following|starting[ ](?:in|with|from)|because[ ]in|caused[ ]by)
            \W*{_GAP}{{0,3}}\W*$""",
    ),
    (
        "tells",
        rf"""(?:fix(?:ed)?|addressed|solved|resolved|handled|reported|done|covered|closed)
            [ ](?:in|by|with|via|on|from)\b\W*{_GAP}{{0,2}}\W*$
            | (?:until|when[ ]fixing|described[ ]in|hidden[ ]by)\W*{_GAP}{{0,2}}\W*$""",
    ),
    (
        "fixes",
        rf"""fix(?:es|ing|up)?\b(?![ ](?:in|by|from|was)\b) | correct(?:s|ed|ing|ion)\b
            | undo(?:es|ing)?\b | {_WRONG}""",
    ),
)
STATEMENTS = tuple(
    (relation, re.compile(rf"\b(?:{words})", re.VERBOSE)) for relation, words in _WORDS
)
"""What is stated before a number; of several, the one nearest to it counts."""
INTENTS = tuple(
    (said, form) for said, form in STATEMENTS if said in ("supersedes", "follows-up", "depends-on")
)
"""The statements that hold although what is told stands between them and the number."""
BLAME = re.compile(
    r"\b(?:got|broke|breaks?|broken|forgot|missed|missing|wrong\w*|incorrect\w*|regress\w*"
    r"|caus(?:ed|es)|accidental\w*|inadvertent\w*"
    r"|introduced an? (?:\w+ )?(?:bug|regression|deviation)"
    r"|(?:but|only|which) (?:\w+ )?(?:forgot|missed|missing|not|left|did|didn't|only)"
    r"|led to|exposed|looks? incorrect|incompletely|problems?|misuse\w*|neglected"
    r"|overcomplicated)\b"
)
"""What a sentence goes on to say of one that did something wrong."""
_DEEDS: tuple[tuple[Relation, str], ...] = (
    (
        "supersedes",
        r"remov(?:e|es|ing)|delet(?:e|es|ing)|drops?|dropping|replac(?:e|es|ing)|gets? rid of"
        r"|disabl(?:e|es|ing)|alternative to",
    ),
    (
        "follows-up",
        r"refactor(?:s|ing)?|renam(?:e|es|ing)|document(?:s|ing)?|stabili[sz](?:e|es|ing)"
        r"|simplif(?:y|ies|ying)|adjust(?:s|ing|ments?)?|tweak(?:s|ing)?|reflect(?:s|ing)?"
        r"|release notes?|notes? for|polish\w*|tid(?:y|ies|ying)|generali[sz](?:e|es|ing)"
        r"|expand(?:s|ing)?|tests? for|updat(?:e|es|ing)|clarif\w+|chang(?:e|es|ing) the"
        r"|extend(?:s|ing)?|rewrit(?:e|es|ing)|finish(?:es|ing)?",
    ),
    (
        "depends-on",
        r"us(?:e|es|ing)|re-?us(?:e|es|ing)|utili[sz](?:e|es|ing)|leverag(?:e|es|ing)"
        r"|rel(?:y|ies|ying) on|incorporat(?:e|es|ing)|adopt(?:s|ing)?|take advantage",
    ),
)
ACTIONS = tuple((relation, re.compile(rf"\b(?:{words})\b")) for relation, words in _DEEDS)
"""What is done with that which the named one brought."""
CAUSE = re.compile(r"\b(?:due to|because|caused by|result of)\b")
"""That the named one is why something is so."""
PAST = re.compile(r"\b(?:before|prior to)\W*(?:\w[\w.'\u2019-]* ){0,3}\W*$")
"""That something was so before the named one."""
CLAUSE = re.compile(r"[,;:]\s")
"""Where one clause ends and the next begins."""
FROM = re.compile(r"\b(?:from|of|in|by|with|for|to)(?: (?:the|pr|pull|request|commit|change))*\W*$")
"""That what stands before is part of the named one."""
POINTER = re.compile(
    r"\b(?:see|cf|xref|refer(?: to)?|refs?|related)\W{0,3}(?:the |this |that |also |related )*"
    r"(?:discussions?|comments?|details|review)?(?: (?:here|in|at|on|of|at the end of))*\W*$"
)
"""That the reader is only sent there."""
REVERTS = re.compile(r"\brevert(?:s|ed|ing)?\b(?! to\b)[^,;]{0,80}$")
"""That all that stands between is taken back."""
LISTED = re.compile(r"\W{0,3}[-*+] .*\($")
"""An item of a list with a number in brackets behind it, which the item describes."""
PLAIN_ORIGIN = re.compile(
    r"\W*(?:(?:this|it|these|those|that|which|the \w+|originally|first)\W+)?"
    r"(?:(?:was|were|has been|is) )?(?:first |only |originally |recently |initially )*"
    r"(?:introduc|add|creat|implement|chang|mov|remov|delet|broke|start|come|came)\w*\b"
)
"""A sentence that begins with where something came from: it is what the text is about."""
INTRODUCED = re.compile(r"\bintroduc\w+ ")
"""A word for where something came from that is seldom said of anything but a fault."""
OTHER_FIX = re.compile(
    r"\b(?:different|another|more robust|cleaner|simpler|better|proper|real) fix "
    r"(?:than|to|for) (?:\w[\w.'\u2019-]* ){0,7}\W*$"
)
"""A fix in place of another one."""
FIX_AS_NOUN = re.compile(
    r"\b(?:the|this|that|recent|previous|original|similar) (?:\w+ ){0,2}fix\W*$"
)
"""A fix that is spoken of, not made."""
LIKENESS = re.compile(
    r"\b(?:like|similar(?:ly)?(?: \w+){0,3}|same(?: \w+){0,4}|as in|just as|analog\w*|cf|e\.g"
    r"|unlike|compared? (?:to|with)|consistent with|inspired by|parallel to|akin to)\W*$"
    r"|\b(?:much like|similar to|the same (?:way|approach|as)|matching the)\b[^,;]{0,80}$"
)
"""That something is like the named one."""
ASIDE = re.compile(
    r"\b(?:also|related to|(?:seen|spotted|noticed) in|by-?product of|while (?:\w+ ){1,3}"
    r"|pattern)\W*$"
)
"""That it is named beside the point."""
BARE = re.compile(
    r"(?:^|\b(?:see|cf|xref|refer(?: to)?|refs?|related|references?|link|e\.g)\b)\W*$"
)
"""That nothing is said of it."""
REPAIR = re.compile(
    r"\b(?:fix(?:es|ed|ing|up)?|bug(?:s|fix)?|hotfix|regress\w*|crash\w*|leaks?|typos?|broken|wrong\w*"
    r"|incorrect\w*|invalid|missing|prevent\w*|repair\w*|correct(?:s|ed|ly)?|errors?|fail\w*|panic\w*"
    r"|races?|deadlock\w*|segfault\w*|overflow\w*|mistake\w*|oversight|avoid(?:s|ing)?|hangs?|stuck"
    r"|make sure|ensure|don't|do not|unintend\w*|restore\w*|properly|flak(?:y|iness)|unbreak"
    r"|problems?|issues?|breaks?|broke|unexpected\w*|unnecessar\w*)\b",
    re.IGNORECASE,
)
"""That a title or a sentence speaks of a repair."""
