"""Whether the messages of an attempt made its patch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davinci_agency.curate.authorship import patch_not_from_messages
from davinci_agency.curate.finding import Finding, Run
from davinci_agency.records import Attempt
from tests.curate.attempts import attempt, staged, task, turns

BEFORE = ["def strike(metal):", "    return metal"]
AFTER = [
    "def strike(metal, temperature):",
    "    if temperature < FORGING_POINT:",
    "        raise TooColdError(metal)",
    "    return hardened(metal, temperature)",
]
EDIT = {"path": "src/anvil.py", "old_str": "\n".join(BEFORE), "new_str": "\n".join(AFTER)}


def patch(path: str, removed: list[str], added: list[str]) -> str:
    """Return a patch of one file with one hunk."""
    lines = [f"-{line}" for line in removed] + [f"+{line}" for line in added]
    head = f"diff --git a/{path} b/{path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{path}\n"
    return head + "@@ -1 +1 @@\n" + "\n".join(lines) + "\n"


FOREIGN = patch(
    "lib/bellows.py",
    [],
    ["class Bellows(Blower):", "    capacity_in_litres = 40", "    def squeeze(self, seconds):"],
)


def find(made: Attempt, stages: int = 1) -> Finding | None:
    return patch_not_from_messages(Run(made, task(stages)))


def made(*calls: Any, model_patch: str) -> Attempt:
    return attempt(turns(*calls), model_patch=model_patch)


def test_a_patch_of_another_run_is_found_with_its_share() -> None:
    finding = find(made((EDIT, "edited src/anvil.py"), model_patch=FOREIGN))
    # One word of eight, "def", is in both.
    assert finding == ("of what the patch of stage 1 adds, 12% stands in the messages", 0.125)


@pytest.mark.parametrize(
    "call",
    [
        (EDIT, "edited"),
        ("python - <<'E'\np.write_text('''" + "\n".join(AFTER) + "''')\nE", ""),
        ("./mend.sh && git diff", patch("src/anvil.py", BEFORE, AFTER)),
        ("cat src/anvil.py", "\n".join(f"{n:>6}\t{line}" for n, line in enumerate(AFTER))),
    ],
)
def test_what_was_written_or_seen_is_the_messages_own(call: Any) -> None:
    assert find(made(call, model_patch=patch("src/anvil.py", BEFORE, AFTER))) is None


def test_text_that_the_assistant_writes_without_tools_counts() -> None:
    text = "```bash\ncat > src/anvil.py <<'E'\n" + "\n".join(AFTER) + "\nE\n```"
    messages = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": text}]
    assert find(attempt(messages, model_patch=patch("src/anvil.py", BEFORE, AFTER))) is None


def test_a_rename_all_over_the_project_is_the_messages_own() -> None:
    """Neither the lines nor the new names stand in the messages, only what they are made of."""
    old = ["paint_colour(metal, base_colour)", "ColourError.default_colour = mixed_colour"]
    new = [line.replace("colour", "tint").replace("Colour", "Tint") for line in old]
    whole = "".join(patch(f"src/part_{n}.py", old, new) for n in range(40))
    command = "sed -i 's/colour/tint/g; s/Colour/Tint/g' $(git ls-files) # paint base mixed default"
    assert find(made((command, "Error"), model_patch=whole)) is None


def test_lines_that_only_move_are_not_looked_for() -> None:
    moved = patch("src/old.py", AFTER, []) + patch("src/new.py", [], AFTER)
    assert find(made("git mv src/old.py src/new.py", model_patch=moved)) is None
    assert find(made("ls", model_patch=moved)) is not None


def test_a_patch_that_adds_nothing_must_be_of_files_or_folders_that_are_named() -> None:
    removal = "".join(patch(f"legacy/part_{n}.py", BEFORE, []) for n in range(9))
    assert find(made("rm -r legacy", model_patch=removal)) is None
    assert find(made("git rm part_3.py", model_patch=removal)) is not None
    assert find(made("ls src", model_patch=removal)) == (
        "of what the patch of stage 1 adds, 0% stands in the messages", 0.0,
    )  # fmt: skip


def test_a_generated_file_beside_the_work_takes_nothing_from_it() -> None:
    lock = patch("poetry.lock", [], [f'hash = "sha256:{n:x}abcdefgh{n}"' for n in range(900)])
    own = patch("src/anvil.py", BEFORE, AFTER)
    assert find(made((EDIT, "edited"), model_patch=lock + own)) is None


def test_a_patch_must_come_from_its_own_stage_or_one_before() -> None:
    own = patch("src/anvil.py", BEFORE, AFTER)
    work, nothing = turns((EDIT, "edited")), turns("ls")
    assert find(staged(work, nothing, patches=(own, own)), 2) is None
    late = find(staged(nothing, work, patches=(own, own)), 2)
    assert late is not None
    assert "stage 1" in late[0]


def test_a_stage_with_an_empty_patch_is_passed_over() -> None:
    assert find(made("ls", model_patch="")) is None
    foreign_later = staged(turns("ls"), turns("ls"), patches=("", FOREIGN))
    finding = find(foreign_later, 2)
    assert finding is not None
    assert "stage 2" in finding[0]


def test_text_of_parts_is_read() -> None:
    messages = turns((EDIT, "edited"))
    messages[1]["tool_calls"] = []
    messages[1]["content"] = [{"type": "text", "text": "\n".join(AFTER)}]
    del messages[2]
    assert find(attempt(messages, model_patch=patch("src/anvil.py", BEFORE, AFTER))) is None


def test_a_patch_in_no_known_form_is_not_judged() -> None:
    assert find(made("ls", model_patch="GIT binary patch\nliteral 3\n")) is None


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=12))
def test_a_patch_that_was_shown_whole_is_always_the_messages_own(added: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in added]
    whole = patch("src/anvil.py", [], lines)
    assert find(made(("git diff", whole), model_patch=whole)) is None


def test_a_large_patch_of_noise_is_read_to_its_end() -> None:
    noise = "".join(patch(f"part_{n}.py", [], ["+" * 50, "(" * 50, "a" * 50]) for n in range(5_000))
    assert find(made("ls", model_patch=noise)) is not None
