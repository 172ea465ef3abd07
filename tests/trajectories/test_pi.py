"""Pi and OpenClaw: the model's own branch, in the words that it was handed."""

from __future__ import annotations

from davinci_agency.conversation import conversation_flaw
from davinci_agency.trajectories import recognise
from tests.trajectories.sessions import ANSWER, PI_MORE


def test_what_the_model_was_handed_is_there_and_the_rest_is_counted() -> None:
    form = recognise(PI_MORE, "session")
    assert form is not None
    said = form.read(PI_MORE)
    assert conversation_flaw(said.messages) is None
    assert [(turn["role"], turn["content"]) for turn in said.messages] == [
        ("user", "Mend it."),
        ("user", f"Ran `ls`\n```\n{ANSWER}\n```\n\nCommand exited with code 1"),
        ("user", "A rule."),
        ("user", "The following is a summary of a branch that this conversation came back from:"
                 "\n\n<summary>\nIt failed.</summary>"),
        ("assistant", "Done."),
    ]  # fmt: skip
    assert said.scaffold.name == "openclaw"
    assert said.not_carried == {
        "parts of a content: image": 1,
        "messages of the program's own: bashExecution": 1,
        "answers of the model that broke off": 1,
        "encrypted thoughts": 1,
        "counts of tokens": 1,
        "entries of the program's own: compaction": 1,
        "entries of the program's own: label": 1,
        "the system prompt, which the format does not hold": 1,
    }
