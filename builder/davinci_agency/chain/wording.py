"""What the words around a number state of the pull request that it names; pure.

A relation is taken only from words that state one: from those nearest before the number, or from
what its sentence goes on to say of it. "Introduced in #12" is said of a fault if its sentence, the
one before, or the text's title says that something is wrong; else what is done with that which was
introduced tells.
"""

from __future__ import annotations

from davinci_agency.chain import phrases
from davinci_agency.chain.phrases import Forms, Relation

_BEFORE = 160
_AFTER = 160
"""Characters before and after a number whose words belong to it."""
_NEAR = 100
"""Characters before a number in which it is said what is done with what it brought."""


def is_repair(words: str) -> bool:
    """Tell whether a title or a sentence says that something was wrong.

    >>> is_repair("BUG: Rounding loses a digit"), is_repair("ENH: Round faster")
    (True, False)
    """
    return phrases.REPAIR.search(words) is not None


def relation(before: str, after: str, title: str = "", previous: str = "") -> Relation:
    """Return what the words before and after a number say; the statement nearest to it decides.

    ``title`` is that of the text that they stand in, ``previous`` the sentence before theirs.

    >>> relation("this is a follow-up to ", ", which was slow")
    'follows-up'
    >>> relation("It was added in ", "", title="Fix the rounding of halves")
    'fixes'
    >>> relation("The same as ", "")
    'compares'
    """
    before = " ".join(before[-_BEFORE:].lower().split()) + " "
    after = " ".join(after[:_AFTER].lower().split())
    if phrases.LIKENESS.search(before):
        return "compares"
    is_blamed = phrases.BLAME.search(after) is not None
    said = _stated(before)
    if said == "brought" or said == "changed":
        return _of_what_came(said, before, is_blamed, title, previous)
    if said == "when":
        return _of_when(before, after, title)
    if said == "names" or said == "tells":
        return "fixes" if is_blamed else _of_what_is_told(said, before)
    if said == "follows-up" and is_blamed and after.lstrip(", ").startswith("which"):
        # "A follow-up to #12, which missed a place"
        return "fixes"
    return said


def _stated(before: str) -> Relation:
    """Return what is stated nearest to the number, whatever that means for the two."""
    if phrases.POINTER.search(before):
        # "See the discussion in #12" asks for nothing to be done.
        return "names"
    said = _nearest(phrases.STATEMENTS, before) or "names"
    if said in ("fixes", "tells", "brought", "changed") and phrases.REVERTS.search(before):
        return "reverts"
    if said == "fixes" and phrases.OTHER_FIX.search(before):
        return "supersedes"
    is_told = phrases.FIX_AS_NOUN.search(before) or phrases.LISTED.match(before.rstrip())
    return "tells" if said == "fixes" and is_told else said


def _of_what_came(
    said: Relation, before: str, is_blamed: bool, title: str, previous: str
) -> Relation:
    """Return what is said of the one that something came with."""
    if is_blamed or phrases.FAULT.search(before):
        return "fixes"
    done = _done(before)
    if done is not None and done != "supersedes":
        return done
    is_origin = phrases.PLAIN_ORIGIN.match(before) or phrases.INTRODUCED.search(before)
    if is_origin and (is_repair(title) or is_repair(previous)):
        return "fixes"
    if done is None and said == "brought":
        # "Remove the cache", and then: "It was added in #12."
        done = _nearest(phrases.ACTIONS, title.lower())
    return said if done is None or done == "depends-on" else done


def _of_when(before: str, after: str, title: str) -> Relation:
    """Return what is said of the one after which something was so, or because of which."""
    clause = phrases.CLAUSE.split(before)[-1]
    is_wrong = phrases.FAULT.search(clause) or phrases.FAULT.search(after)
    if is_wrong and not phrases.PAST.search(before):
        return "fixes"
    return "fixes" if phrases.CAUSE.search(before[-_NEAR:]) and is_repair(title) else "when"


def _of_what_is_told(said: Relation, before: str) -> Relation:
    """Return what is said of one that is named, or of which something is told."""
    if phrases.ASIDE.search(before):
        return "compares"
    if phrases.BARE.search(before) or phrases.POINTER.search(before):
        return "names"
    if said == "tells":
        meant = _nearest(phrases.INTENTS, phrases.CLAUSE.split(before)[-1])
        return meant or _done(before) or said
    return (_done(before) if phrases.FROM.search(before) else None) or "tells"


def _done(before: str) -> Relation | None:
    """Return what is done with that which is named at the end of a clause."""
    return _nearest(phrases.ACTIONS, phrases.CLAUSE.split(before[-_NEAR:])[-1])


def _nearest(forms: Forms, words: str) -> Relation | None:
    """Return what is stated last in some words."""
    places = [(match.start(), said) for said, form in forms for match in form.finditer(words)]
    return max(places)[1] if places else None
