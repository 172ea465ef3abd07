"""The records that flow between stages, as they stand in the schemas of the current version.

Each is frozen, made from validated JSON, and knows its name (`RECORD`), its identifier
(`identity`) and its place in a sorted file (`sort_key`). Descriptions, units and examples of every
field are in ``schemas/<version>/<record>.schema.json``; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
import orjson

from davinci_agency.ids import content_id

SCHEMA_VERSION = "1.0.0"
"""The version of the schemas that these classes mirror."""

JsonObject = dict[str, Any]
"""A free-form JSON object: a message, a tool, metadata."""

Kind = Literal["single-pr", "temporal-chain", "semantic-chain"]
AuthorKind = Literal["person", "bot"]
MergeStyle = Literal["merge", "squash", "rebase", "fast-forward"]
FoundBy = Literal[
    "merge-subject",
    "squash-subject",
    "bors",
    "homu",
    "closing-line",
    "trailer",
    "pull-head",
    "rebased-head",
    "github",
]
MergedInto = Literal["default-branch", "other-branch", "pull-request"]
RemarkKind = Literal["comment", "review", "review-comment"]
ReviewState = Literal["approved", "changes-requested", "commented", "dismissed", "pending"]
FileStatus = Literal["modified", "added", "deleted", "renamed", "copied", "type-changed"]
Omission = Literal["binary", "too-large", "not-utf-8", "missing-blob", "generated"]
Gap = Literal[
    "omitted-files",
    "not-utf-8-text",
    "head-missing",
    "head-differs",
    "range-inferred",
    "range-cut",
    "github-partial",
    "github-gone",
]
EdgeType = Literal[
    "fixes",
    "follows-up",
    "depends-on",
    "supersedes",
    "shares-issue",
    "touches-lines-of",
    "mentions",
    "reverts",
    "backports",
    "precedes",
]
EdgeOrigin = Literal[
    "title",
    "body",
    "commit-message",
    "comment",
    "review",
    "review-comment",
    "branch",
    "issue",
    "patch",
    "merge-order",
]
StatePolicy = Literal["historical-base", "cumulative"]
ApplyStatus = Literal["clean", "three-way", "conflict", "unproven"]
SourceFormat = Literal[
    "mini-swe-agent",
    "openai-messages",
    "sharegpt",
    "swe-agent",
    "openhands",
    "sii-cli",
    "sii-sdk",
    "claude-code",
    "codex",
    "gemini-cli",
    "pi",
    "atif",
]
RoundMode = Literal["first", "continue", "restart"]
ExecutionStatus = Literal["passed", "failed", "not-runnable"]
Horizon = Literal["short", "medium", "long", "very-long"]
Split = Literal["train", "validation", "test"]

RecordName = Literal["pull-request", "pr-chain", "task", "attempt", "removal", "sample"]

KINDS: tuple[Kind, ...] = ("single-pr", "temporal-chain", "semantic-chain")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_END_OF_TIME = 253_402_300_799

SortKey = tuple[str | int | tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a pull request."""

    sha: str
    authored_at: datetime
    author_id: str
    author_kind: AuthorKind
    message: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file that a pull request changes."""

    path: str
    old_path: str | None
    status: FileStatus
    additions: int | None
    deletions: int | None
    is_test: bool
    omitted: Omission | None


@dataclass(frozen=True, slots=True)
class ClosedIssue:
    """One issue that a pull request closes."""

    repo: str
    number: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class CrossReference:
    """One issue or pull request that mentions a pull request."""

    repo: str
    number: int
    is_pull: bool
    will_close: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Remark:
    """One contribution to the discussion of a pull request."""

    kind: RemarkKind
    login_id: str | None
    author_kind: AuthorKind
    created_at: datetime
    state: ReviewState | None
    path: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """What the patches were that were taken out: their digests."""

    patch_sha256: str
    test_patch_sha256: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One merged pull request."""

    RECORD: ClassVar[RecordName] = "pull-request"

    schema_version: str
    repo: str
    number: int
    url: str | None
    title: str
    body: str
    author_id: str
    author_kind: AuthorKind
    login_id: str | None
    merge_style: MergeStyle
    found_by: FoundBy
    merged_into: MergedInto
    base_branch: str | None
    backport_of: int | None
    reverts: tuple[int, ...]
    stacked_on: int | None
    merged_at: datetime
    base_commit: str
    merge_base: str | None
    head_commit: str | None
    merge_commit: str
    license: str | None
    language: str | None
    commits: tuple[Commit, ...]
    files: tuple[ChangedFile, ...]
    patch: str
    test_patch: str
    withheld: Withheld | None
    additions: int
    deletions: int
    gaps: tuple[Gap, ...]
    updated_at: datetime | None
    labels: tuple[str, ...]
    closes: tuple[ClosedIssue, ...]
    cross_references: tuple[CrossReference, ...]
    discussion: tuple[Remark, ...]
    from_github: tuple[str, ...]
    split: Split
    marks: tuple[str, ...]

    @property
    def identity(self) -> str:
        """``owner/name#number``."""
        return f"{self.repo}#{self.number}"

    @property
    def sort_key(self) -> SortKey:
        """By repository and number."""
        return (self.repo, self.number)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that ties two pull requests."""

    speaker: int
    type: EdgeType
    origin: EdgeOrigin
    quote: str
    start: int | None
    end: int | None
    url: str | None
    said_at: datetime
    confidence: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Why a later pull request (source) belongs to an earlier one (target)."""

    source: int
    target: int
    type: EdgeType
    confidence: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One go at a stage: what the agent handed in, what was thought of it, what it took."""

    mode: RoundMode
    model_patch: str
    exit_status: str | None
    score: float | None
    rationale: str | None
    feedback: str | None
    execution: ExecutionStatus | None
    steps: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One pull request as a step of a chain."""

    number: int
    url: str | None
    title: str
    author_kind: AuthorKind
    merged_at: datetime
    base_commit: str
    merge_base: str | None
    merge_commit: str
    files: tuple[ChangedFile, ...]
    patch: str
    test_patch: str
    withheld: Withheld | None
    additions: int
    deletions: int
    state_policy: StatePolicy
    apply_status: ApplyStatus
    base_tree: str | None
    result_tree: str | None


@dataclass(frozen=True, slots=True)
class ChainStage(Stage):
    """A step of a chain, with the words that its query will be written from."""

    author_id: str
    body: str


@dataclass(frozen=True, slots=True)
class TaskStage(Stage):
    """A step of a task: with its query."""

    query: str


@dataclass(frozen=True, slots=True)
class SampleStage(TaskStage):
    """A step of a sample: with its part of the conversation."""

    message_start: int
    message_end: int
    model_patch: str
    score: float | None
    start_tree: str | None
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class ChainScores:
    """How good a chain is, by its texts and changes."""

    overall: float | None
    edge_strength: float | None
    topic_consistency: float | None
    file_overlap: float | None
    symbol_overlap: float | None
    span_days: float
    authors: int
    lines: int


@dataclass(frozen=True, slots=True)
class VerdictScores:
    """The single scores of a language model's verdict."""

    topic_consistency: float
    logical_relevance: float
    temporal_reasonableness: float
    author_consistency: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a language model says of a chain."""

    judge: str
    is_valid_chain: bool
    confidence: float
    overall_score: float
    scores: VerdictScores
    reasoning: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A pull request that is tied to a member of a chain and is none itself, and why."""

    number: int
    member: int
    type: EdgeType
    confidence: float
    quote: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Pull requests that form one piece of work, in the order in which they were merged."""

    RECORD: ClassVar[RecordName] = "pr-chain"

    schema_version: str
    chain_id: str
    kind: Kind
    repo: str
    license: str | None
    language: str | None
    split_group: str
    stages: tuple[ChainStage, ...]
    edges: tuple[Edge, ...]
    scores: ChainScores
    verdict: Verdict | None
    left_out: tuple[LeftOut, ...]

    @property
    def identity(self) -> str:
        """The chain's id."""
        return self.chain_id

    @property
    def sort_key(self) -> SortKey:
        """By repository, kind and members."""
        return chain_sort_key(self.repo, self.kind, self.stages, self.chain_id)


@dataclass(frozen=True, slots=True)
class QueryWriter:
    """Who wrote the queries of a task, and what it took."""

    name: str
    version: str
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A chain as something to ask of an agent."""

    RECORD: ClassVar[RecordName] = "task"

    schema_version: str
    task_id: str
    chain_id: str
    kind: Kind
    repo: str
    license: str | None
    language: str | None
    split_group: str
    split: Split
    marks: tuple[str, ...]
    stages: tuple[TaskStage, ...]
    edges: tuple[Edge, ...]
    query_writer: QueryWriter
    instance_id: str | None
    base_commit: str | None
    patch: str | None
    test_patch: str | None
    problem_statement: str | None

    @property
    def identity(self) -> str:
        """The task's id."""
        return self.task_id

    @property
    def sort_key(self) -> SortKey:
        """By repository, kind and members."""
        return chain_sort_key(self.repo, self.kind, self.stages, self.task_id)


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The program that let the model work."""

    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class AttemptStage:
    """The part of a conversation that belongs to one stage: messages [start, end)."""

    message_start: int
    message_end: int
    model_patch: str
    exit_status: str | None
    score: float | None = None
    start_tree: str | None = None
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judged an attempt, and why so."""

    name: str
    rationale: str | None


@dataclass(frozen=True, slots=True)
class NotCarried:
    """One kind of thing that a trajectory's source held and its record does not."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rollout of one task, accepted or not."""

    RECORD: ClassVar[RecordName] = "attempt"

    schema_version: str
    attempt_id: str
    task_id: str
    split: Split
    marks: tuple[str, ...]
    scaffold: Scaffold
    model: str | None
    source_format: SourceFormat
    source_sha256: str
    exit_status: str | None
    stages: tuple[AttemptStage, ...]
    messages: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...]
    model_patch: str
    score: float | None
    judge: Judge | None
    resolved: bool | None
    refinements: int
    num_turns: int
    num_tool_calls: int
    num_tokens: int | None
    tokenizer: str | None
    horizon: Horizon | None
    not_carried: tuple[NotCarried, ...]
    metadata: JsonObject

    @property
    def identity(self) -> str:
        """The attempt's id."""
        return self.attempt_id

    @property
    def sort_key(self) -> SortKey:
        """By task, then by id."""
        return (self.task_id, self.attempt_id)


@dataclass(frozen=True, slots=True)
class SampleJudge(Judge):
    """Who accepted a sample, and from which score on."""

    threshold: float


@dataclass(frozen=True, slots=True)
class Sample:
    """An accepted attempt with its whole chain: one row to train on."""

    RECORD: ClassVar[RecordName] = "sample"

    schema_version: str
    sample_id: str
    task_id: str
    attempt_id: str
    chain_id: str
    kind: Kind
    repo: str
    license: str | None
    language: str | None
    split_group: str
    split: Split
    marks: tuple[str, ...]
    stages: tuple[SampleStage, ...]
    edges: tuple[Edge, ...]
    messages: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...]
    model_patch: str
    scaffold: Scaffold
    model: str | None
    source_format: SourceFormat
    source_sha256: str
    score: float
    judge: SampleJudge
    resolved: bool | None
    refinements: int
    num_turns: int
    num_tool_calls: int
    num_tokens: int | None
    tokenizer: str | None
    horizon: Horizon | None

    @property
    def identity(self) -> str:
        """The sample's id."""
        return self.sample_id

    @property
    def sort_key(self) -> SortKey:
        """By task, then by attempt."""
        return (self.task_id, self.attempt_id)


StageName = Literal["mine", "chain", "query", "collect", "ingest", "judge", "curate", "build"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A receipt for one record that a stage left out by a rule."""

    RECORD: ClassVar[RecordName] = "removal"

    schema_version: str
    stage: StageName
    rule: str
    record_type: RecordName
    record_id: str
    reason: str
    measure: float | None
    kept_id: str | None

    @property
    def identity(self) -> str:
        """A hash of all of it: two receipts are one only if they say the same."""
        return content_id("removal", self)

    @property
    def sort_key(self) -> SortKey:
        """By what was removed."""
        return (self.stage, self.record_type, self.record_id, self.rule, self.reason)


Record = PullRequest | Chain | Task | Attempt | Sample | Removal
R = TypeVar("R", bound=Record)

RECORD_TYPES: dict[str, type[Record]] = {
    cls.RECORD: cls for cls in (PullRequest, Chain, Task, Attempt, Removal, Sample)
}


def from_json(value: Any, record_type: type[R]) -> R:
    """Return validated JSON as a record.

    Raises `msgspec.ValidationError` where the class is stricter than the schema: an integer
    written as ``1.0``.
    """
    return msgspec.convert(value, record_type)


def to_json(record: Record) -> bytes:
    """Return a record as one line of JSON, properties in the schema's order, no line end."""
    return orjson.dumps(record, option=orjson.OPT_UTC_Z)


def to_row(record: Record) -> JsonObject:
    """Return a record in JSON's types."""
    row: JsonObject = orjson.loads(to_json(record))
    return row


S = TypeVar("S", bound=Stage)


def as_stage(source: PullRequest | Stage, kind: type[S], **more: Any) -> S:
    """Return a pull request or a stage as a stage of another kind.

    ``more`` gives the fields that the source lacks; fields that the kind lacks are left behind.
    """
    shared = {f.name: getattr(source, f.name) for f in fields(kind) if f.name not in more}
    return kind(**shared, **more)


def chain_id(kind: Kind, repo: str, members: list[tuple[int, str]]) -> str:
    """Return the id of a chain of members (number, merge commit), in order."""
    return content_id("chain", kind, repo, members)


def chain_sort_key(repo: str, kind: Kind, stages: tuple[Stage, ...], identity: str) -> SortKey:
    """Return the place of a chain or task: by repository, kind and the members' numbers."""
    return (repo, KINDS.index(kind), tuple(stage.number for stage in stages), identity)


def utc(seconds: int) -> datetime:
    """Return a moment, given in seconds since 1970, in UTC.

    A clock that was wrong by millennia is set to the nearest of 1970 and the end of 9999.
    """
    return datetime.fromtimestamp(min(max(seconds, 0), _END_OF_TIME), UTC)
