"""Lets scripted agents work on tasks and saves what they did as mini-swe-agent's trajectories.

Needs an environment in which mini-swe-agent is installed. The model is scripted (``agents/``), and
all else is real: the agent loop, the commands and what they print, the diff, and the verdict, which
is whether the tests of the stage's pull request pass on what the agent left.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

AGENTS = Path(__file__).parent / "agents"
WORKSPACE = "/workspace"
CLOCK = 1_750_000_000.0
"""The time that every step is said to have been taken at."""

SYSTEM = "You are a programmer. You work in a shell, one command at a time, by calling bash."
INSTANCE = """\
{{task}}

The repository is in {{cwd}}, where every command starts. Change the code so that it does what is
asked for, and run its tests with `python -m unittest`. When you are done, run this command alone:
`echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT`"""

Json = dict[str, Any]


class Clone:
    """A private copy of a repository that ends at one commit, without a way to later ones."""

    def __init__(self, repository: Path, base: str, folder: Path) -> None:
        self.folder = folder
        self._base = base
        self._git("init", "--quiet", "--template=", "--initial-branch=main")
        self._git("fetch", "--quiet", "--no-tags", str(repository.absolute()), base)
        self._git("reset", "--quiet", "--hard", base)
        (folder / ".git" / "FETCH_HEAD").unlink()

    def _git(self, *arguments: str, text: str = "", **variables: str) -> str:
        run = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **variables},
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        return run.stdout.decode()

    def diff(self) -> str:
        """Return all that changed since the base, new files included."""
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
            self._git("read-tree", self._base, **index)
            self._git("add", "--all", **index)
            return self._git("diff", "--cached", "--binary", "--full-index", self._base, **index)

    def overlay(self, stage: Json) -> None:
        """Put a stage's tests over the tree, whatever stood in their files."""
        for file in stage["files"]:
            for path in filter(None, (file["path"], file.get("old_path"))):
                if file["is_test"]:
                    (self.folder / path).unlink(missing_ok=True)
                    if self._git("ls-tree", self._base, "--", path):
                        self._git("checkout", self._base, "--", path)
        self._git("apply", "--whitespace=nowarn", text=stage["test_patch"])


def clean_environment(home: Path) -> None:
    """Leave only what git, Python and the agent need; commands would see all the rest."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.environ.clear()
    os.environ.update(
        {
            "PATH": path,
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            # An old base is the tip of no branch, and still it may be fetched.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "MSWEA_SILENT_STARTUP": "1",
            "MSWEA_GLOBAL_CONFIG_DIR": str(home),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
    )


def outputs(steps: Sequence[Mapping[str, str]], stage: int) -> Iterator[Json]:
    """Yield what the scripted model answers, a call of bash in each answer."""
    make = import_module("minisweagent.models.test_models").make_toolcall_output
    for number, step in enumerate(steps, start=1):
        call_id = f"call_{stage}_{number}"
        command = step["run"].strip("\n")
        function = {"name": "bash", "arguments": json.dumps({"command": command})}
        output: Json = make(
            step["say"],
            [{"id": call_id, "type": "function", "function": function}],
            [{"command": command, "tool_call_id": call_id}],
        )
        output["extra"] |= {"cost": 0.0, "timestamp": CLOCK}
        yield output


def run_agent(query: str, steps: Sequence[Mapping[str, str]], stage: int, clone: Clone) -> Any:
    """Return mini-swe-agent's agent after it has worked on a query."""
    model_type = import_module("minisweagent.models.test_models").DeterministicToolcallModel
    local = import_module("minisweagent.environments.local").LocalEnvironment
    agent = import_module("minisweagent.agents.default").DefaultAgent(
        model_type(outputs=list(outputs(steps, stage)), model_name="scripted", cost_per_call=0.0),
        local(cwd=str(clone.folder)),
        system_template=SYSTEM,
        instance_template=INSTANCE,
        cost_limit=0.0,
    )
    agent.run(query)
    return agent


def stable(value: Any, folder: Path) -> Any:
    """Return JSON without the machine's paths, clock and speed."""
    if isinstance(value, dict):
        return {
            key: CLOCK if key == "timestamp" else stable(item, folder)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [stable(item, folder) for item in value]
    if isinstance(value, str):
        text = value.replace(str(folder), f"{WORKSPACE}/{folder.name}")
        return re.sub(r"(Ran \d+ tests? in )[\d.]+s", r"\g<1>0.010s", text)
    return value


def judge(clone: Clone, stage: Json) -> Json:
    """Return the verdict of a stage's own tests on what an agent left."""
    clone.overlay(stage)
    run = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=clone.folder, capture_output=True, text=True
    )
    ran = re.search(r"^Ran (\d+) test", run.stderr, re.MULTILINE)
    if ran is None:
        raise RuntimeError(f"the tests did not run: {run.stderr}")
    passed = run.returncode == 0
    return {
        "score": 1.0 if passed else 0.0,
        "judge": "unittest",
        "rationale": f"{ran[1]} tests ran with the pull request's own: "
        + run.stderr.strip().splitlines()[-1],
        "resolved": passed,
    }


def work(task: Json, script: Json, repository: Path, out: Path) -> Iterator[str]:
    """Let a scripted agent work on each stage of a task; yield a line for each."""
    for number, (stage, scripted) in enumerate(
        zip(task["stages"], script["stage"], strict=True), start=1
    ):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch).resolve() / task["repo"].partition("/")[2]
            folder.mkdir()
            clone = Clone(repository, stage["base_commit"], folder)
            agent = run_agent(stage["query"], scripted["step"], number, clone)
            patch = clone.diff()
            verdict = judge(clone, stage)
            agent.messages = stable(agent.messages, folder)
            agent.env.config.cwd = stable(agent.env.config.cwd, folder)
            attempt = script["attempt"]
            name = f"{task['task_id']}.attempt-{attempt}.stage-{number}.traj.json"
            extra = {"instance_id": task["task_id"], "attempt": attempt, "stage": number}
            agent.save(out / name, extra, {"model_patch": patch, "verdict": verdict})
        yield f"{script['kind']} #{stage['number']}, attempt {attempt}: {verdict['rationale']}"


def read_scripts() -> list[Json]:
    """Return the scripts of all agents: ``kind``, ``pulls``, ``attempt`` and the list ``stage``."""
    paths = sorted(AGENTS.glob("*.toml"))
    return [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]


def read_tasks(path: Path) -> dict[tuple[str, tuple[int, ...]], Json]:
    """Return tasks by their kind and the numbers of their pull requests."""
    with path.open(encoding="utf-8") as lines:
        tasks = [json.loads(line) for line in lines]
    return {(task["kind"], tuple(s["number"] for s in task["stages"])): task for task in tasks}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the trajectories; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repository", type=Path, required=True, help="what the tasks are about")
    parser.add_argument("--tasks", type=Path, required=True, help="tasks.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the trajectories")
    options = parser.parse_args(arguments)
    tasks, scripts = read_tasks(options.tasks), read_scripts()
    keys = [(script["kind"], tuple(script["pulls"])) for script in scripts]
    for kind, pulls in sorted(set(keys) - tasks.keys()):
        numbers = ", ".join(f"#{number}" for number in pulls)
        print(f"{options.tasks} has no {kind} of {numbers}, which is scripted.", file=sys.stderr)
    if set(keys) - tasks.keys():
        return 1
    if find_spec("minisweagent") is None:
        print("mini-swe-agent is not installed here; README.md says how.", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.traj.json"):
        old.unlink()
    with tempfile.TemporaryDirectory() as home:
        clean_environment(Path(home))
        for key, script in zip(keys, scripts, strict=True):
            for line in work(tasks[key], script, options.repository, options.out):
                print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
