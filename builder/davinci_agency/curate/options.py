"""What a curator can ask for, on the command line and in a recipe's ``[curate]``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from davinci_agency.curate.finding import Limits
from davinci_agency.curate.rules import Choice, choose
from davinci_agency.curate.splits import SplitOptions
from davinci_agency.errors import CommandError
from davinci_agency.spdx import PERMISSIVE, canonical

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Pseudonym = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
_Repo = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]


class CurateOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to curate; by default every rule is on, and all that stays is for training.

    Attributes:
        only: if there are any, only these rules are on.
        off: rules that are not.
        mark: rules that only mark what breaks them.
        licenses: the licences to allow; if there are none, the permissive ones.
        withhold_patches: take code under other licences out, and keep the rest.
        opted_out: pseudonyms of authors who want no part in it.
        logins: make accounts that texts mention pseudonyms.
        deny_lists: files of further lists of what stands in benchmarks.
        whole_repositories: leave out all of a repository that has a task in a benchmark.
        benchmarks: files whose texts no record may hold runs of 13 words of.
        most_common: such a run in more pull requests than this is everybody's.
        min_score, max_refinements, max_tokens: what is asked of attempts.
        validation, test: the shares of what belongs together that go there.
        by_repository: never divide a repository.
        held_out: repositories that are for testing only.
        held_out_since: what began on this day or later is for testing only.
    """

    only: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    mark: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    withhold_patches: bool = False
    opted_out: tuple[_Pseudonym, ...] = ()
    logins: bool = False
    deny_lists: tuple[str, ...] = ()
    whole_repositories: bool = False
    benchmarks: tuple[str, ...] = ()
    most_common: _Count = 10
    min_score: _Share | None = None
    max_refinements: _Count | None = None
    max_tokens: _Count | None = None
    validation: _Share = 0.0
    test: _Share = 0.0
    by_repository: bool = False
    held_out: tuple[_Repo, ...] = ()
    held_out_since: date | None = None

    @property
    def choice(self) -> Choice:
        """The rules that are on. Raises `CommandError` if one of them is none."""
        return choose(self.only, self.off, self.mark)

    @property
    def allowed(self) -> frozenset[str]:
        """The licences under which code may be published. Raises `CommandError` if one is none."""
        for name in self.licenses:
            if canonical(name) != name:
                raise CommandError(f"{name!r} is no licence's identifier; see spdx.org/licenses.")
        return frozenset(self.licenses) or PERMISSIVE

    @property
    def limits(self) -> Limits:
        """What is asked of attempts."""
        return Limits(self.min_score, self.max_refinements, self.max_tokens)

    @property
    def splits(self) -> SplitOptions:
        """How to split."""
        return SplitOptions(
            self.validation,
            self.test,
            self.by_repository,
            frozenset(repo.lower() for repo in self.held_out),
            self.held_out_since,
        )
