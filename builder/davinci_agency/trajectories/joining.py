"""One conversation from the runs of a task's stages; pure.

Scaffolds that run each stage by itself begin the next one with the same system prompt, which is
said once here, and may number their calls of tools from the start again, so that a number used
before gets ``.stage-N`` behind it. What ended a run answers the call that it ended on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from davinci_agency.ids import content_digest
from davinci_agency.records import AttemptStage, JsonObject
from davinci_agency.trajectories.rollout import Rollout, TrajectoryError, Verdict


def join_stages(rollouts: Sequence[Rollout]) -> Rollout:
    """Return the rollout of a whole task from those of its stages, in order.

    Raises `TrajectoryError` if they differ in scaffold, model or system prompt.
    """
    first = rollouts[0].said
    messages: list[JsonObject] = []
    stages: list[AttemptStage] = []
    for number, rollout in enumerate(rollouts, start=1):
        said = rollout.said
        if (said.scaffold, said.model) != (first.scaffold, first.model):
            raise TrajectoryError("$.info", "its stages were worked on by different models")
        turns = list(said.messages)
        if number < len(rollouts):
            turns += said.closing
        if number > 1:
            turns = _renumbered(_without_system(turns, messages[0]), messages, number)
        start = len(messages)
        messages += turns
        stages.append(replace(rollout.stages[0], message_start=start, message_end=len(messages)))
    all_said = [rollout.said for rollout in rollouts]
    joint = replace(
        first,
        messages=tuple(messages),
        tools=max((said.tools for said in all_said), key=len),
        exit_status=all_said[-1].exit_status,
        verdict=_joint_verdict([said.verdict for said in all_said]),
        refinements=sum(said.refinements for said in all_said),
        closing=(),
        not_carried=sum((Counter(said.not_carried) for said in all_said), Counter()),
        metadata={"stages": [said.metadata for said in all_said]}
        if len(all_said) > 1
        else first.metadata,
    )
    return replace(
        rollouts[0],
        stage=None,
        stages=tuple(stages),
        said=joint,
        source_sha256=_joint_digest(rollouts),
    )


def _without_system(turns: Sequence[JsonObject], opening: JsonObject) -> list[JsonObject]:
    if turns[0].get("role") != "system":
        return list(turns)
    if turns[0] != opening:
        raise TrajectoryError("$.messages[0]", "its stages have different system prompts")
    return list(turns[1:])


def _renumbered(
    turns: Sequence[JsonObject], before: Sequence[JsonObject], number: int
) -> list[JsonObject]:
    used = {call.get("id") for turn in before for call in turn.get("tool_calls", ())}

    def fresh(call_id: Any) -> Any:
        return f"{call_id}.stage-{number}" if call_id in used else call_id

    renumbered: list[JsonObject] = []
    for turn in turns:
        changed = dict(turn)
        if "tool_calls" in turn:
            changed["tool_calls"] = [
                {**call, "id": fresh(call.get("id"))} for call in turn["tool_calls"]
            ]
        if "tool_call_id" in turn:
            changed["tool_call_id"] = fresh(turn["tool_call_id"])
        renumbered.append(changed)
    return renumbered


def _joint_digest(rollouts: Sequence[Rollout]) -> str:
    digests = [rollout.source_sha256 for rollout in rollouts]
    return digests[0] if len(digests) == 1 else content_digest(digests)


def _joint_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on all stages: as good as the worst; none if one was not judged."""
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    judges = sorted({verdict.judge for verdict in verdicts if verdict.judge is not None})
    resolved = {verdict.resolved for verdict in verdicts}
    reasons = [verdict.rationale for verdict in verdicts]
    if len(verdicts) == 1:
        return verdicts[0]
    return Verdict(
        score=min(scores) if len(scores) == len(verdicts) else None,
        judge=", ".join(judges) or None,
        rationale="\n".join(f"Stage {n}: {reason}" for n, reason in enumerate(reasons, start=1))
        if any(reasons)
        else None,
        resolved=False if False in resolved else None if None in resolved else True,
    )
