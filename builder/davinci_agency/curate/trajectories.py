"""The rules about how an attempt came about, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from davinci_agency.curate import conduct
from davinci_agency.curate.authorship import patch_not_from_messages
from davinci_agency.curate.finding import AttemptRule
from davinci_agency.curate.peeking import peeking

ATTEMPT_RULES: Mapping[str, AttemptRule] = MappingProxyType(
    {
        "broken-conversation": conduct.broken_conversation,
        "empty-run": conduct.empty_run,
        "truncated": conduct.truncated,
        "looping": conduct.looping,
        "peeking": peeking,
        "patch-not-from-messages": patch_not_from_messages,
        "below-score": conduct.below_score,
        "too-many-refinements": conduct.too_many_refinements,
        "over-context": conduct.over_context,
    }
)
"""In the order in which they speak; each can be asked alone."""
