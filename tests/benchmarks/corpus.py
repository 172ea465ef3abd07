"""Attempts of realistic size and content, with known copies among them, to measure curation on.

All text is drawn at run time from the source files that are installed beside this Python: the
standard library and its packages play the repositories. Seeds of different parity share no file,
so that what was tuned on one seed can be reported on another. Sizes are log-normal: median 216 kB
of JSON, mean about 350 kB, one in a hundred above 2 MB; a call of a tool for every 3 kB.

Of the rows

- 65 % are `first` attempts, each at a task of its own: a model lists, searches and reads windows
  of the task's files, edits, runs tests and snippets, and submits a patch;
- 10 % are `exact` copies of a first attempt: another attempt id, other ids of the tool calls,
  another order of keys, the same texts;
- 5 % are copies `edited-lines` and 5 % `edited-words`: 2 to 10 % of what is said in a first
  attempt was replaced, dropped or added to, in whole lines or in single words all over it;
- 12 % are `second` attempts at a first one's task, and no duplicates: the same files read in other
  windows and another order, similar commands, other words, edits and results;
- 3 % are `truncated`: a first attempt's messages up to a place after 30 to 90 % of them.

Run it to write N attempts, their labels, and their tasks:

    python -m tests.benchmarks.corpus FOLDER [--rows 600] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sysconfig
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import orjson
from tests.samples import attempt as sample_attempt
from tests.samples import task as sample_task

Kind = Literal["first", "exact", "edited-lines", "edited-words", "second", "truncated"]
Json = dict[str, Any]

SHARES: dict[Kind, float] = {
    "first": 0.65,
    "exact": 0.10,
    "edited-lines": 0.05,
    "edited-words": 0.05,
    "second": 0.12,
    "truncated": 0.03,
}
_COPIES: frozenset[Kind] = frozenset({"exact", "edited-lines", "edited-words"})
_MEDIAN_BYTES, _SPREAD = 195_000, 0.98
_REMEMBERED = 48
"""So many first attempts are held, for copies to be made of them."""
_SUFFIXES = (".py", ".pyi", ".h", ".md", ".rst", ".pxd")


@dataclass(frozen=True, slots=True)
class Label:
    """What a row is.

    Attributes:
        attempt_id: its id.
        kind: how it was made.
        source: the id of the first attempt that it was made from; its own for a first one.
        changed: the share of lines or words that were changed, or of messages that were cut off.
    """

    attempt_id: str
    kind: Kind
    source: str
    changed: float


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt, as JSON, and its label."""

    attempt: Json
    label: Label


@dataclass(frozen=True, slots=True)
class _Plan:
    """A task: what it is about, and how much reading it takes (bytes)."""

    task_id: str
    repository: str
    files: tuple[Path, ...]
    issue: str
    size: float


# --- the truth ---------------------------------------------------------------------------------


def duplicate_pairs(labels: Sequence[Label]) -> set[tuple[str, str]]:
    """Return the pairs, ids in order, of first attempts and their exact or edited copies."""
    return {
        (min(label.source, label.attempt_id), max(label.source, label.attempt_id))
        for label in labels
        if label.kind in _COPIES
    }


def contained_pairs(labels: Sequence[Label]) -> set[tuple[str, str]]:
    """Return the pairs (truncated run, the whole run that it is the beginning of)."""
    return {(label.attempt_id, label.source) for label in labels if label.kind == "truncated"}


def related_pairs(labels: Sequence[Label]) -> set[tuple[str, str]]:
    """Return all pairs, ids in order, of one family of copies: whoever finds one is right.

    A family is a first attempt with its exact, edited and truncated copies; second attempts are
    in none.
    """
    families: dict[str, list[str]] = {}
    for label in labels:
        if label.kind != "second":
            families.setdefault(label.source, []).append(label.attempt_id)
    return {pair for family in families.values() for pair in combinations(sorted(family), 2)}


def said(attempt: Json) -> bytes:
    """Return what the model and the tools said in an attempt, and the patch: no keys, no ids."""
    parts: list[str] = []
    for message in attempt["messages"]:
        if message["role"] != "system":
            parts.append(message["content"])
            for call in message.get("tool_calls", ()):
                parts += call["function"]["arguments"].values()
    return "\n".join([*parts, attempt["model_patch"]]).encode()


# --- the rows ----------------------------------------------------------------------------------


def rows(number: int, seed: int) -> Iterator[Row]:
    """Yield so many labelled attempts; a copy comes at most some dozens of rows after its source.

    The same number and seed give the same rows as long as the installed files are the same.
    """
    chance = random.Random(seed)  # noqa: S311
    library = _Library(seed)
    recent: deque[tuple[_Plan, Row]] = deque(maxlen=_REMEMBERED)
    for place in range(number):
        kind: Kind = chance.choices([*SHARES], [*SHARES.values()])[0] if recent else "first"
        if kind == "first":
            plan = library.plan(f"task-{seed:04d}-{place:07d}", chance)
            row = _labelled(_attempt(plan, library, chance), "first", None, 0.0)
            recent.append((plan, row))
        else:
            plan, source = chance.choice(recent)
            row = _MAKERS[kind](plan, source, library, chance)
        yield row


def _labelled(attempt: Json, kind: Kind, source: str | None, changed: float) -> Row:
    identity = str(attempt["attempt_id"])
    return Row(attempt, Label(identity, kind, source or identity, changed))


def _exact(plan: _Plan, source: Row, library: _Library, chance: random.Random) -> Row:
    messages = _other_calls(source.attempt["messages"], chance)
    attempt = _again(source.attempt, [_reversed(message) for message in messages], chance)
    return _labelled(_reversed(attempt), "exact", source.label.source, 0.0)


def _edited_lines(plan: _Plan, source: Row, library: _Library, chance: random.Random) -> Row:
    rate = chance.uniform(0.02, 0.10)
    messages = _rewritten(source, lambda text: _edit_lines(text, rate, library, chance), chance)
    attempt = _again(source.attempt, messages, chance)
    return _labelled(attempt, "edited-lines", source.label.source, rate)


def _edited_words(plan: _Plan, source: Row, library: _Library, chance: random.Random) -> Row:
    rate = chance.uniform(0.02, 0.10)
    messages = _rewritten(source, lambda text: _edit_words(text, rate, library, chance), chance)
    attempt = _again(source.attempt, messages, chance)
    return _labelled(attempt, "edited-words", source.label.source, rate)


def _second(plan: _Plan, source: Row, library: _Library, chance: random.Random) -> Row:
    # Most of the same files, as long or half as long.
    share = chance.uniform(0.6, 1.0)
    files = chance.sample(plan.files, max(1, round(share * len(plan.files))))
    other = replace(plan, files=tuple(files), size=plan.size * chance.lognormvariate(0, 0.35))
    return _labelled(_attempt(other, library, chance), "second", source.label.source, 0.0)


def _truncated(plan: _Plan, source: Row, library: _Library, chance: random.Random) -> Row:
    share = chance.uniform(0.3, 0.9)
    whole = source.attempt["messages"]
    # Behind the system's and the user's word come pairs of a call and its answer, then the last.
    end = 2 + 2 * max(1, round(share * (len(whole) - 3) / 2))
    messages = [*_other_calls(whole[:end], chance), {"role": "assistant", "content": "I stop."}]
    attempt = _again(source.attempt, messages, chance)
    attempt |= {"exit_status": "LimitsExceeded", "resolved": False, "model_patch": ""}
    attempt["stages"] = [{**attempt["stages"][0], "model_patch": ""}]
    return _labelled(attempt, "truncated", source.label.source, 1 - end / len(whole))


def _again(attempt: Json, messages: list[Json], chance: random.Random) -> Json:
    return _finished({**attempt, "messages": messages}, chance)


def _finished(attempt: Json, chance: random.Random) -> Json:
    """Return an attempt with an id of its own and counts that fit its messages."""
    messages = attempt["messages"]
    patch = attempt["model_patch"]
    stage = {
        "message_start": 0,
        "message_end": len(messages),
        "model_patch": patch,
        "exit_status": "Submitted",
        "score": None,
        "start_tree": None,
        "rounds": [],
    }
    return {
        **attempt,
        "attempt_id": f"attempt-{chance.getrandbits(96):024x}",
        "source_sha256": sha256(chance.randbytes(16)).hexdigest(),
        "stages": [stage],
        "num_turns": sum(message["role"] == "assistant" for message in messages),
        "num_tool_calls": sum(len(message.get("tool_calls", ())) for message in messages),
    }


def _reversed(value: Any) -> Any:
    """Return JSON with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _other_calls(messages: Sequence[Json], chance: random.Random) -> list[Json]:
    names: dict[str, str] = {}
    made = []
    for message in messages:
        turn = dict(message)
        if "tool_calls" in turn:
            for call in turn["tool_calls"]:
                names[call["id"]] = f"call_{chance.getrandbits(64):016x}"
            turn["tool_calls"] = [{**c, "id": names[c["id"]]} for c in turn["tool_calls"]]
        if "tool_call_id" in turn:
            turn["tool_call_id"] = names[turn["tool_call_id"]]
        made.append(turn)
    return made


def _rewritten(source: Row, edit: Callable[[str], str], chance: random.Random) -> list[Json]:
    made = []
    for message in _other_calls(source.attempt["messages"], chance):
        turn = {**message, "content": edit(message["content"])}
        if "tool_calls" in turn:
            turn["tool_calls"] = [_edited_call(call, edit) for call in turn["tool_calls"]]
        made.append(turn)
    return made


def _edited_call(call: Json, edit: Callable[[str], str]) -> Json:
    arguments = {key: edit(text) for key, text in call["function"]["arguments"].items()}
    return {**call, "function": {**call["function"], "arguments": arguments}}


def _edit_lines(text: str, rate: float, library: _Library, chance: random.Random) -> str:
    made: list[str] = []
    for line in text.split("\n"):
        if chance.random() >= rate:
            made.append(line)
            continue
        how = chance.random()
        if how < 0.7:
            made.append(library.any_line(chance))
        elif how < 0.85:
            made += [line, library.any_line(chance)]
    return "\n".join(made)


_WORD = re.compile(r"\w+")


def _edit_words(text: str, rate: float, library: _Library, chance: random.Random) -> str:
    def edited(match: re.Match[str]) -> str:
        if chance.random() >= rate:
            return match[0]
        how = chance.random()
        if how < 0.7:
            return library.any_word(chance)
        return f"{match[0]} {library.any_word(chance)}" if how < 0.85 else ""

    return _WORD.sub(edited, text)


_MAKERS: dict[Kind, Callable[[_Plan, Row, _Library, random.Random], Row]] = {
    "exact": _exact,
    "edited-lines": _edited_lines,
    "edited-words": _edited_words,
    "second": _second,
    "truncated": _truncated,
}


# --- the repositories --------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text("utf-8", errors="replace").split("\n"))


class _Library:
    """The installed source files of one parity, by top-level package."""

    def __init__(self, seed: int) -> None:
        self._repositories: dict[str, list[Path]] = {}
        for root in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
            for path in _source_files(root):
                name = os.path.relpath(path, root)
                if zlib.crc32(name.encode()) % 2 == seed % 2:
                    top = name.partition("/")[0] if "/" in name else "lib"
                    self._repositories.setdefault(top, []).append(path)
        self._repositories = {
            name: sorted(files) for name, files in self._repositories.items() if len(files) >= 20
        }
        self._all = [file for files in self._repositories.values() for file in files]
        self._prose: dict[Path, list[str]] = {}
        self._weights = [len(files) ** 0.7 for files in self._repositories.values()]

    def plan(self, task_id: str, chance: random.Random) -> _Plan:
        """Return a new task in one of the repositories."""
        size = chance.lognormvariate(0, _SPREAD) * _MEDIAN_BYTES
        repository = chance.choices([*self._repositories], self._weights)[0]
        known = self._repositories[repository]
        wanted = max(4, round(size / 16_000))
        files = chance.sample(known, min(wanted, len(known)))
        prose = [line.strip() for line in _lines(files[0]) if line.count(" ") > 8]
        issue = "\n".join(chance.sample(prose, min(8, len(prose))))
        return _Plan(task_id, repository, tuple(files), issue, size)

    def any_line(self, chance: random.Random) -> str:
        """Return a line of any file."""
        return chance.choice(_lines(self._near(chance)))

    def any_sentence(self, chance: random.Random) -> str:
        """Return a line of prose from any file: what one model says and another does not."""
        for _ in range(8):
            file = self._near(chance)
            if file not in self._prose:
                self._prose[file] = [line.strip("# ") for line in _lines(file) if _is_prose(line)]
            if self._prose[file]:
                return chance.choice(self._prose[file])
        return ""

    def any_word(self, chance: random.Random) -> str:
        """Return a word of any file."""
        for _ in range(8):
            words = _WORD.findall(self.any_line(chance))
            if words:
                return str(chance.choice(words))
        return "value"

    def _near(self, chance: random.Random) -> Path:
        # Few files at a time, so that they stay in memory.
        return self._all[chance.randrange(0, len(self._all), 9)]


def _is_prose(line: str) -> bool:
    return line.count(" ") > 7 and not any(mark in line for mark in "()[]{}=<>|`")


def _source_files(root: str) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in ("__pycache__", "site-packages"))
        for name in files:
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and 1_500 < path.stat().st_size < 300_000:
                yield path


# --- a run -------------------------------------------------------------------------------------

_SYSTEM = """You are a careful software engineer. You work in a checkout of the repository and \
change it until the task is done. Answer each turn with one thought and one call of a tool. Look \
before you change anything, keep the change small, run the tests that concern it, and add tests of \
your own where there are none. Don't touch what the task does not ask for. Commands run in a fresh \
shell each time: folder and environment are not kept. When you are done, submit the patch."""

_THOUGHTS = (
    "Next I want to see how `{word}` is used in {path}.",
    "The failure seems to come from `{word}`; {path} is where it is defined.",
    "So `{word}` is not what I thought. Let me read {path} around line {number}.",
    "This looks right, but {path} still passes `{word}` through. I check the callers of `{other}`.",
    "Before changing `{word}` I look for other places that rely on `{other}`.",
    "I now change {path}: `{word}` has to come before `{other}`.",
    "The tests fail at `{other}`. The reason is that `{word}` was not updated in {path}.",
    "Good. Now the same for `{other}` in {path}, then the tests again.",
    "I don't need {path} any more. What remains is `{word}` and perhaps `{other}`.",
    "Hm, {number} lines of output and no mention of `{word}`. Perhaps {path} imports it lazily.",
)
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {"type": "object", "properties": {}, "required": []},
        },
    }
    for name, description in (
        ("bash", "Run a command in the checkout and return what it prints."),
        ("edit", "Replace one passage of a file by another."),
    )
]


class _Run:
    """One rollout while it is made: what was said, and what was changed."""

    def __init__(self, plan: _Plan, library: _Library, chance: random.Random) -> None:
        self.plan, self.library, self.chance = plan, library, chance
        task = f"Repository: {plan.repository}\n\nPlease solve this:\n\n{plan.issue}"
        self.messages: list[Json] = [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": task},
        ]
        self.hunks: list[str] = []
        self.said = 0

    def work(self) -> None:
        """Take steps until enough was said."""
        steps = (self.read, self.search, self.list, self.change, self.test, self.snippet)
        while self.said < self.plan.size:
            self.chance.choices(steps, (45, 14, 5, 16, 14, 6))[0]()
        self.messages.append({"role": "assistant", "content": "Done: I submit the patch."})

    def file(self) -> tuple[str, tuple[str, ...]]:
        """Return one of the task's files: its path in the repository, and its lines."""
        path = self.chance.choice(self.plan.files)
        return "/".join(path.parts[-3:]), _lines(path)

    def window(self, least: int, most: int) -> tuple[str, int, list[str]]:
        """Return some lines of a file: its path, the number of the first, the lines."""
        path, lines = self.file()
        start = self.chance.randrange(max(1, len(lines) - least))
        return path, start, list(lines[start : start + self.chance.randint(least, most)])

    def word(self) -> str:
        """Return a word of one of the files that is long enough to be a name."""
        _, _, lines = self.window(3, 12)
        words = [word for line in lines for word in _WORD.findall(line) if len(word) > 4]
        return self.chance.choice(words) if words else "self"

    def take(self, tool: str, arguments: dict[str, str], answer: str) -> None:
        """Add a call of a tool, with a thought before it, and the answer."""
        path, _ = self.file()
        thought = self.chance.choice(_THOUGHTS).format(
            word=self.word(), other=self.word(), path=path, number=self.chance.randint(2, 400)
        )
        thought += f"\n{self.library.any_sentence(self.chance)}"
        call_id = f"call_{self.chance.getrandbits(64):016x}"
        function = {"name": tool, "arguments": arguments}
        call = {"id": call_id, "type": "function", "function": function}
        self.messages += [
            {"role": "assistant", "content": thought, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": answer},
        ]
        texts = (thought, answer, *arguments.values())
        # What JSON adds: escapes, quotes, keys.
        self.said += 280 + sum(len(text) + text.count("\n") + text.count('"') for text in texts)

    def bash(self, command: str, answer: str) -> None:
        self.take("bash", {"command": command}, f"<returncode>0</returncode>\n{answer}")

    def read(self) -> None:
        path, start, lines = self.window(40, 190)
        if self.chance.random() < 0.5:
            lines = [f"{number:6d}\t{line}" for number, line in enumerate(lines, start + 1)]
        self.bash(f"sed -n {start + 1},{start + len(lines)}p {path}", "\n".join(lines))

    def search(self) -> None:
        word = self.word()
        found = [
            f"{path}:{number}:{line}"
            for path, lines in (self.file() for _ in range(4))
            for number, line in enumerate(lines, 1)
            if word in line
        ]
        self.bash(f"grep -rn {word} --include='*.py' . | head -40", "\n".join(found[:40]))

    def list(self) -> None:
        names = [
            f"-rw-r--r-- 1 user user {self.chance.randint(900, 90_000)} {'/'.join(p.parts[-2:])}"
            for p in self.chance.sample(self.plan.files, min(30, len(self.plan.files)))
        ]
        self.bash(f"ls -l {self.plan.repository}", "\n".join(names))

    def change(self) -> None:
        path, start, before = self.window(3, 18)
        _, _, fresh = self.window(2, 10)
        cut = self.chance.randrange(len(before))
        after = [*before[:cut], *fresh, self.library.any_line(self.chance), *before[cut + 2 :]]
        self.hunks.append(_hunk(path, start, before, after))
        arguments = {"path": path, "old": "\n".join(before), "new": "\n".join(after)}
        self.take("edit", arguments, f"The file {path} has been edited.\n{self.hunks[-1]}")

    def test(self) -> None:
        chance = self.chance
        path, start, lines = self.window(4, 14)
        folder = f"/tmp/pytest-of-user/pytest-{chance.randint(0, 99)}/{path.split('/')[-1]}0"  # noqa: S108
        trace = "\n".join(f"{path}:{start + n}: in test_{self.word()}" for n in range(3))
        error = f"E   AssertionError: assert {self.word()} == {self.word()}"
        end = f"{chance.randint(1, 4)} failed, {chance.randint(3, 90)} passed in "
        head = f"rootdir: {folder}\nplugins: hypothesis-6.1\ncollected {len(lines)} items\n\n"
        answer = f"{head}{chr(10).join(lines)}\n{error}\n{trace}\n{end}{chance.random() * 9:.2f}s"
        self.bash(f"python -m pytest -x {path} -k {self.word()}", answer)

    def snippet(self) -> None:
        _, _, lines = self.window(3, 15)
        _, _, printed = self.window(2, 12)
        self.bash("python - <<'EOF'\n" + "\n".join(lines) + "\nEOF", "\n".join(printed))


def _hunk(path: str, start: int, before: Sequence[str], after: Sequence[str]) -> str:
    head = f"--- a/{path}\n+++ b/{path}\n@@ -{start + 1},{len(before)} +{start + 1},{len(after)} @@"
    return "\n".join([head, *(f"-{line}" for line in before), *(f"+{line}" for line in after)])


def _attempt(plan: _Plan, library: _Library, chance: random.Random) -> Json:
    run = _Run(plan, library, chance)
    run.work()
    values: Json = {"messages": run.messages, "tools": _TOOLS, "model_patch": "".join(run.hunks)}
    values |= {"score": round(chance.uniform(0.5, 1), 2), "num_tokens": None, "metadata": {}}
    return _finished(sample_attempt("attempt-0", plan.task_id, **values), chance)


# --- files -------------------------------------------------------------------------------------


def write_corpus(folder: Path, number: int, seed: int) -> None:
    """Write ``attempts.jsonl``, ``labels.jsonl`` and ``tasks.jsonl`` into a folder, streaming."""
    tasks: set[str] = set()
    with (
        (folder / "attempts.jsonl").open("wb") as attempts,
        (folder / "labels.jsonl").open("wb") as labels,
        (folder / "tasks.jsonl").open("wb") as task_file,
    ):
        for row in rows(number, seed):
            attempts.write(orjson.dumps(row.attempt) + b"\n")
            labels.write(orjson.dumps(row.label) + b"\n")
            if row.attempt["task_id"] not in tasks:
                tasks.add(row.attempt["task_id"])
                task_file.write(orjson.dumps(sample_task(row.attempt["task_id"])) + b"\n")


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    write_corpus(options.folder, options.rows, options.seed)


if __name__ == "__main__":
    main()
