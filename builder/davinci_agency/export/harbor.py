"""Tasks as Harbor's folders; pure.

A pull request is a task; a chain whose stages go on from each other is one of several steps; of a
chain with historical bases each stage is a task of its own, since a container has one base. What
strangers wrote is in files of its own and never in a script: queries, patches, the names of files.

The container holds the repository at its base, fetched with what came before it alone. The tests
are put in place over whatever the agent made of them, and the reward is 1 if they pass.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import orjson

from davinci_agency.errors import CommandError
from davinci_agency.export.forms import UnfitError
from davinci_agency.paths import paths_of_tests, runnable_tests
from davinci_agency.records import ChangedFile, JsonObject

TESTS = "{tests}"
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,255}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]{1,253}/[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_DEPTH = "30"

_SOLVE = """\
#!/bin/bash
# Does what the pull request did.
set -e
cd /workspace
git apply --whitespace=nowarn /solution/change.patch
"""
_TEST = """\
#!/bin/bash
# Puts the pull request's own tests in place, runs them, and leaves the reward.
mkdir -p /logs/verifier
echo 0 > /logs/verifier/reward.txt
cd /workspace || exit 1
while IFS= read -r -d '' path; do
  git checkout --quiet {base} -- "$path" 2>/dev/null || rm -rf -- "$path"
done < /tests/touched
for patch in /tests/*.patch; do
  git apply --allow-empty --whitespace=nowarn "$patch" || exit 1
done
mapfile -d '' -t tests < /tests/files
if {command}; then
  echo 1 > /logs/verifier/reward.txt
fi
"""


@dataclass(frozen=True, slots=True)
class HarborOptions:
    """What a task's container is, and how its tests are run.

    Attributes:
        image: the image that has git and what the project needs.
        test_command: split as a shell would; ``{tests}`` stands for the files of the tests.
    """

    image: str
    test_command: str


def checked(image: str | None, test_command: str | None) -> HarborOptions:
    """Return the options. Raises `CommandError` if one is missing or can't be used."""
    if not image or not test_command:
        raise CommandError(
            "a Harbor task has a container and runs tests; give --image and --test-command, such "
            "as 'python -m pytest -q {tests}'."
        )
    if not _IMAGE.fullmatch(image):
        raise CommandError(f"{image!r} is no name of an image.")
    try:
        shlex.split(test_command)
    except ValueError as error:
        raise CommandError(f"the test command can't be split into words: {error}.") from error
    return HarborOptions(image, test_command)


def folders_of(row: JsonObject, options: HarborOptions) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield a task's folders: the name, and its files. Raises `UnfitError` if it can't be one."""
    stages = row["stages"]
    if any(stage["withheld"] is not None for stage in stages):
        raise UnfitError("its patches are withheld")
    if len(stages) > 1 and stages[0]["state_policy"] == "cumulative":
        yield row["task_id"], _folder(row, stages, options)
        return
    for number, stage in enumerate(stages, start=1):
        name = row["task_id"] if len(stages) == 1 else f"{row['task_id']}.stage-{number}"
        yield name, _folder(row, [stage], options)


def _folder(
    row: JsonObject, stages: Sequence[JsonObject], options: HarborOptions
) -> dict[str, bytes]:
    first = stages[0]
    files = {"environment/Dockerfile": _dockerfile(first, options).encode()}
    names = [f"step-{number}" for number in range(1, len(stages) + 1)] if len(stages) > 1 else []
    for number in range(len(stages)):
        prefix = f"steps/{names[number]}/" if names else ""
        for path, content in _step(stages[: number + 1], first["base_commit"], options).items():
            files[prefix + path] = content
    files["task.toml"] = _toml(row, stages, names).encode()
    return files


def _step(stages: Sequence[JsonObject], base: str, options: HarborOptions) -> dict[str, bytes]:
    """Return the files of the last of some stages that follow each other."""
    stage = stages[-1]
    changed = [msgspec.convert(each["files"], tuple[ChangedFile, ...]) for each in stages]
    touched = paths_of_tests(file for files in changed for file in files)
    tests = runnable_tests(changed[-1])
    files = {
        "instruction.md": f"{stage['query']}\n",
        "solution/solve.sh": _SOLVE,
        "solution/change.patch": stage["patch"] + stage["test_patch"],
        "tests/test.sh": _TEST.format(base=base, command=_command(options.test_command)),
        "tests/touched": "".join(f"{path}\0" for path in touched),
        "tests/files": "".join(f"{path}\0" for path in tests),
        **{f"tests/{n:03}.patch": each["test_patch"] for n, each in enumerate(stages, start=1)},
    }
    return {path: text.encode("utf-8", "surrogateescape") for path, text in files.items()}


def _command(test_command: str) -> str:
    words = shlex.split(test_command)
    return " ".join('"${tests[@]}"' if word == TESTS else shlex.quote(word) for word in words)


def _dockerfile(stage: JsonObject, options: HarborOptions) -> str:
    address, base = (stage["url"] or "").rpartition("/pull/")[0], stage["base_commit"]
    if not _ADDRESS.fullmatch(address) or not _COMMIT.fullmatch(base):
        raise UnfitError("it does not say where its repository is to be had")
    git = ["git", "-C", "/workspace"]
    commands = (
        ["git", "init", "--quiet", "/workspace"],
        [*git, "fetch", "--quiet", "--depth", _DEPTH, address, base],
        [*git, "checkout", "--quiet", "-B", "main", base],
        # Where it came from is nothing that an agent should know.
        ["rm", "-f", "/workspace/.git/FETCH_HEAD"],
    )
    runs = "".join(f"RUN {orjson.dumps(command).decode()}\n" for command in commands)
    return f"FROM {options.image}\n{runs}WORKDIR /workspace\n"


def _toml(row: JsonObject, stages: Sequence[JsonObject], names: Sequence[str]) -> str:
    about = {
        "task_id": row["task_id"],
        "repo": row["repo"],
        "license": row["license"] or "unknown",
        "pulls": [stage["url"] for stage in stages],
    }
    lines = ['schema_version = "1.4"', "", "[metadata]"]
    # JSON's strings are TOML's, too.
    lines += [f"{key} = {orjson.dumps(value).decode()}" for key, value in about.items()]
    lines += ["", "[agent]", "timeout_sec = 3600.0", "", "[verifier]", "timeout_sec = 900.0"]
    for name in names:
        lines += ["", "[[steps]]", f'name = "{name}"']
    return "\n".join(lines) + "\n"
