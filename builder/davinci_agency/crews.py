"""Who works and who judges, made from what somebody asks for.

Keys come from the environment. The agent's is never sent to a judge behind another endpoint.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from davinci_agency.collect import (
    SCAFFOLDS,
    Budget,
    CollectOptions,
    Crew,
    Prices,
    Session,
    SessionLimits,
    Upstream,
)
from davinci_agency.errors import CommandError
from davinci_agency.evaluate import Acceptance, Judge, JudgeOptions, TestCommand, open_rubric
from davinci_agency.llm import Endpoint, Model
from davinci_agency.sandbox import SandboxOptions
from davinci_agency.tokens import TokenCounter

AGENT_KEY = "OPENAI_API_KEY"
JUDGE_KEY = "JUDGE_API_KEY"


def open_acceptance(
    judge: JudgeOptions, sandbox: SandboxOptions, cache: Path, key: str | None
) -> Acceptance:
    """Return who decides. Raises `CommandError` if that can't be."""
    if not judge.llm or not judge.model:
        raise CommandError("to judge takes an endpoint and a model; name both.")
    model = Model(Endpoint(judge.llm.rstrip("/"), judge.model, key), cache / "judgements")
    return Acceptance(
        Judge(model, open_rubric(judge.rubric), judge.votes),
        judge.threshold,
        _tests(judge, sandbox, cache),
    )


def _tests(judge: JudgeOptions, sandbox: SandboxOptions, cache: Path) -> TestCommand | None:
    if judge.test_command is None:
        return None
    try:
        words = tuple(shlex.split(judge.test_command))
    except ValueError as error:
        raise CommandError(f"the test command can't be split into words: {error}.") from error
    if not words:
        raise CommandError("the test command is empty; leave it out to run no tests.")
    return TestCommand(
        words,
        sandbox.open(),
        cache / "executions",
        sandbox.limits(judge.test_seconds),
        sandbox.mounted(),
        sandbox.environment,
    )


def open_crew(
    collect: CollectOptions,
    judge: JudgeOptions,
    sandbox: SandboxOptions,
    cache: Path,
    variables: Mapping[str, str],
    count: TokenCounter | None,
) -> Crew:
    """Return who works and who judges; the same model, where no judge is named.

    Raises `CommandError` if that can't be.
    """
    if not collect.llm or not collect.model:
        raise CommandError("to collect takes an endpoint and a model; name both.")
    if collect.scaffold not in SCAFFOLDS:
        raise CommandError(
            f"there is no scaffold {collect.scaffold}; choose one of {', '.join(SCAFFOLDS)}."
        )
    sampling = {} if collect.temperature is None else {"temperature": collect.temperature}
    upstream = Upstream(
        collect.llm.rstrip("/"),
        collect.model,
        variables.get(AGENT_KEY),
        sampling,
        Prices(*collect.prices) if collect.prices else None,
    )
    key = variables.get(JUDGE_KEY)
    if judge.llm in (None, collect.llm):
        key = key or variables.get(AGENT_KEY)
        judge = msgspec.structs.replace(judge, llm=collect.llm, model=judge.model or collect.model)
    session = Session(
        scaffold=SCAFFOLDS[collect.scaffold],
        sandbox=sandbox.open(),
        upstream=upstream,
        budget=Budget(collect.max_cost),
        limits=sandbox.limits(collect.max_seconds),
        session_limits=SessionLimits(steps=collect.max_steps),
        mounts=sandbox.mounted(),
        environment=sandbox.environment,
    )
    return Crew(
        session,
        open_acceptance(judge, sandbox, cache, key),
        count,
        collect.refinements,
        collect.refine,
    )
