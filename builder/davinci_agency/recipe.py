"""``dataset.toml``: what a dataset is made from and how, read and checked before anything runs.

    [dataset]
    name = "tallybook"              # what the card calls it
    work = "work"                   # where the stages leave their files
    release = "release"             # the release
    trajectories = ["trajectories"] # files and folders of trajectories, if there are any

    [[source]]
    path = "repository"             # a clone or a bare repository; left out, a mirror is made
    repo = "example/tallybook"      # owner/name; taken from the clone's origin if left out
    host = "github.com"             # for the addresses of pull requests; likewise
    license = "MIT"                 # SPDX expression, if known
    github = false                  # whether to ask GitHub too, with the tokens in GITHUB_TOKEN
    base_url = "https://api.github.com"   # of GitHub Enterprise: https://HOST/api/v3
    since = 2020-01-01              # only what was merged on that day or later
    limit = 1000                    # only so many, the newest

    [filter]                        # what to leave out; everything stays by default
    bots = true
    dependency_bumps = true
    releases = true
    backports = true
    reverts = true                  # and what they took back
    docs_only = true                # documentation and continuous integration
    max_files = 60
    max_lines = 4000
    opted_out = ["8a1b2c3d4e5f6071"]      # davinci-agency pseudonym LOGIN
    licenses = ["MIT", "Apache-2.0"]

    [chain]
    kinds = ["single-pr", "temporal-chain", "semantic-chain"]
    max_length = 5
    min_score = 0.0                 # the overall score that a semantic chain must have
    llm = "https://api.openai.com/v1"     # ask a model for its verdict, with OPENAI_API_KEY
    model = "some-model"
    min_verdict = 0.0               # the overall score that it must give
    budget = 500                    # the most chains of several of one kind from one repository
    policy = "historical-base"      # each stage begins at its own base; or "cumulative"
    states = ["clean", "three-way"] # how the patches of a stage must apply; also "unproven"

    [query]                         # without llm, queries are made of the authors' own sentences
    llm = "http://localhost:8000/v1"      # let a model write them, with OPENAI_API_KEY
    model = "glm-4.6"
    temperature = 0.0
    max_tokens = 4096
    seed = 7
    concurrency = 4                 # chains that it is asked about at once

    [collect]                       # with llm, agents attempt the tasks; workers are run's
    llm = "http://localhost:8000/v1"      # the agent's endpoint, with the key in OPENAI_API_KEY
    model = "glm-4.6"
    scaffold = "mini-swe-agent"     # the agent program
    temperature = 0.7               # the endpoint's own, if left out
    attempts = 1                    # at each task
    refinements = 3                 # how often an agent is sent back at a stage
    refine = "continue"             # its conversation; or "restart"
    max_steps = 100                 # of one go at a stage
    max_seconds = 3600
    max_cost = 50.0                 # USD, of the whole run
    prices = [0.6, 2.2]             # USD for a million tokens in and out, if nobody tells

    [judge]                         # who decides about what they hand in; the agent's model itself,
    llm = "http://localhost:8001/v1"      # if left out. Its key is in JUDGE_API_KEY
    model = "glm-4.6"
    rubric = "default-1"
    votes = 1                       # the middle one counts
    threshold = 0.8
    test_command = "python -m pytest -q {tests}"   # run the pull request's own tests, too
    test_seconds = 600

    [sandbox]                       # where agents and tests are run
    kind = "bubblewrap"             # or "docker", or "local", which shuts nothing in
    image = "project:latest"        # of docker
    mounts = ["/opt/environment"]   # folders that are seen inside, read-only
    environment = { PATH = "/opt/environment/bin:/usr/bin:/bin" }
    memory = 4096                   # MiB

    [curate]                        # davinci-agency curate rules lists every rule
    off = ["contained"]             # rules that are off; all are on by default
    mark = ["looping"]              # rules that only mark what breaks them
    only = []                       # if there are any, only these are on
    licenses = ["MIT", "BSD-3-Clause"]    # the permissive ones, if left out
    withhold_patches = false        # keep rows under other licences, without their code
    opted_out = []                  # pseudonyms, as in [filter]
    logins = false                  # make accounts that texts mention pseudonyms
    deny_lists = ["my-benchmark.json"]    # besides those that come with the program
    whole_repositories = false      # leave out all of a repository that a benchmark uses
    benchmarks = ["my-benchmark.parquet"] # texts that no record may hold runs of 13 words of
    most_common = 10                # a run in more pull requests than this is everybody's
    min_score = 0.5                 # of judged attempts; none by default
    max_refinements = 3
    max_tokens = 200000
    validation = 0.0                # shares of what belongs together
    test = 0.05
    by_repository = false           # never divide a repository
    held_out = ["owner/name"]       # repositories for testing only
    held_out_since = 2026-01-01     # what began on that day or later is for testing

    [build]
    threshold = 0.8
    format = "parquet"              # or "arrow"
    after = "org/tallybook@v1.0.0"  # the release before, or its folder: rows keep their order

Paths are relative to the recipe. Everything but ``name`` and one source has a default.
"""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec

from davinci_agency.collect.options import CollectOptions
from davinci_agency.curate.options import CurateOptions
from davinci_agency.errors import RecipeError
from davinci_agency.evaluate.options import JudgeOptions
from davinci_agency.mine.filters import Filters
from davinci_agency.records import KINDS, ApplyStatus, Kind, StatePolicy
from davinci_agency.release import ShardFormat
from davinci_agency.sandbox import SandboxOptions


class SourceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A repository to mine."""

    path: str | None = None
    repo: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")] | None = None
    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]+$")] | None = None
    license: str | None = None
    github: bool = False
    base_url: str | None = None
    since: date | None = None
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None


class DatasetTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the dataset is called, and where its files are."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=96)]
    work: str = "work"
    release: str = "release"
    trajectories: tuple[str, ...] = ()


class ChainTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which chains to make."""

    kinds: tuple[Kind, ...] = KINDS
    max_length: Annotated[int, msgspec.Meta(ge=2, le=100)] = 5
    min_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    min_verdict: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    budget: Annotated[int, msgspec.Meta(ge=1)] = 500
    policy: StatePolicy = "historical-base"
    states: tuple[ApplyStatus, ...] = ("clean", "three-way")
    llm: str | None = None
    model: str | None = None


class QueryTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who writes the queries."""

    llm: str | None = None
    model: str | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    seed: int | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 4


class BuildTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to build the release."""

    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    format: ShardFormat = "parquet"
    after: str | None = None


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file, as it stands."""

    dataset: DatasetTable
    source: Annotated[tuple[SourceTable, ...], msgspec.Meta(min_length=1)]
    filter: Filters = Filters()
    chain: ChainTable = ChainTable()
    query: QueryTable = QueryTable()
    collect: CollectOptions = CollectOptions()
    judge: JudgeOptions = JudgeOptions()
    sandbox: SandboxOptions = SandboxOptions()
    curate: CurateOptions = CurateOptions()
    build: BuildTable = BuildTable()


class Recipe(msgspec.Struct, frozen=True):
    """A checked recipe.

    Attributes:
        folder: the folder that its paths are relative to.
        tables: what it says.
    """

    folder: Path
    tables: Tables

    def resolve(self, path: str) -> Path:
        """Return a path of the recipe as one that can be opened."""
        return Path(os.path.normpath(self.folder / Path(path).expanduser()))

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Return the recipe in a file. Raises `RecipeError` saying what is wrong with it."""
        try:
            value = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(f"{path}: {error.strerror}; name a recipe (dataset.toml).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path} is no TOML: {error}.") from error
        try:
            tables = msgspec.convert(value, Tables)
        except msgspec.ValidationError as error:
            raise RecipeError(f"{path}: {error}.") from error
        if any(source.path is None and source.repo is None for source in tables.source):
            raise RecipeError(f"{path}: a source needs path or repo; say one of them.")
        return cls(path.parent, tables)
