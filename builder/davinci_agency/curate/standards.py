"""What records are held against, and what a single one breaks of it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from davinci_agency.curate.deny_index import DenyIndex
from davinci_agency.curate.finding import Limits
from davinci_agency.curate.grams import GramList
from davinci_agency.curate.patch_ids import patch_ids_of
from davinci_agency.curate.rules import Choice
from davinci_agency.curate.views import Reason
from davinci_agency.curate.words import word_hashes
from davinci_agency.printable import printable
from davinci_agency.records import PullRequest, Stage
from davinci_agency.secrets.rule import Kind
from davinci_agency.spdx import is_allowed

_SHOWN = 8
"""Tasks of benchmarks that a receipt names."""


@dataclass(frozen=True, slots=True)
class Standards:
    """What records are held against.

    Attributes:
        choice: the rules that are asked.
        licenses: the licences that are allowed.
        withhold: whether code under others is taken out, and the rest stays.
        opted_out: pseudonyms of authors who want no part in it.
        logins: whether accounts that texts mention become pseudonyms.
        denied: what stands in benchmarks.
        whole_repositories: whether all of a repository goes that has a task in one.
        grams: runs of words of a user's own benchmark.
        limits: what is asked of attempts.
    """

    choice: Choice
    licenses: frozenset[str]
    withhold: bool
    opted_out: frozenset[str]
    logins: bool
    denied: DenyIndex
    whole_repositories: bool
    grams: GramList | None
    limits: Limits

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of secrets that are replaced."""
        wanted: tuple[tuple[str, Kind], ...] = (("secrets", "secret"), ("people", "person"))
        return frozenset(kind for rule, kind in wanted if rule in self.choice.on)

    def license_reasons(self, name: str | None) -> Iterator[Reason]:
        """Yield the reason against a licence, if there is one."""
        if not self.allows(name):
            yield "license-not-allowed", f"its licence is {name or 'not known'}", None

    def allows(self, name: str | None) -> bool:
        """Tell whether code under a licence may be published."""
        return name is not None and is_allowed(name, self.licenses)

    def withholds(self, name: str | None) -> bool:
        """Tell whether code under a licence is taken out, and the rest stays."""
        is_asked = "license-not-allowed" in self.choice.on and self.withhold
        return is_asked and not self.allows(name)

    def benchmark_reasons(
        self, repo: str, stages: Sequence[PullRequest | Stage]
    ) -> Iterator[Reason]:
        """Yield the reason against pull requests that stand in a benchmark."""
        for stage in stages:
            ids = patch_ids_of(stage.patch, stage.test_patch)
            branch = stage.commits if isinstance(stage, PullRequest) else ()
            commits = (stage.merge_commit, *(commit.sha for commit in branch))
            hits = self.denied.hits(repo, stage.number, stage.base_commit, ids, commits)
            if hits:
                named = ", ".join(
                    f"{hit.list_name} {printable(hit.instance_id)[:80]} (by {hit.by})"
                    for hit in hits[:_SHOWN]
                )
                named += f" and {len(hits) - _SHOWN:,} more" if len(hits) > _SHOWN else ""
                yield "in-benchmark", f"#{stage.number} is {named}", float(len(hits))
                return
        if self.whole_repositories and (lists := self.denied.lists_with(repo)):
            yield "in-benchmark", f"its repository has tasks in {', '.join(lists)}", None

    def grams_in(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Return the runs of words of a user's benchmark that stand in some texts."""
        if self.grams is None:
            return ()
        found = [self.grams.hits(word_hashes(text.encode())) for text in texts]
        return tuple(int(gram) for gram in np.unique(np.concatenate(found)))
