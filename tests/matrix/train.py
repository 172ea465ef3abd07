"""Take two training steps on a published release, and print what came of them as JSON.

Run by the test beside it in an environment of its own: it imports `trl` and what `trl` needs.
The chat templates of GLM-4.x and Qwen3 are the models' own, read from `trl` where it is installed.
They don't mark what the assistant says: `SFTTrainer` knows them, and puts training templates of its
own in their place, as it does for anybody who trains these models. Tokenizer and model are made
here, and tiny. The functions import what they need: pytest looks for doctests here too, without it.
"""

import importlib.resources
import json
import math
import re
import sys
from typing import Any

import datasets

TEMPLATES = {"glm": "glm4moe.jinja", "qwen3": "qwen3.jinja"}
END = "<|endoftext|>"
IGNORED = -100  # the label of a token that is not trained on


def chat_template(name: str) -> str:
    """Return a model's own chat template."""
    folder = importlib.resources.files("trl") / "chat_templates"
    return (folder / TEMPLATES[name]).read_text(encoding="utf-8")


def make_tokenizer(messages: list[Any], template: str) -> Any:
    """Train a byte-level tokenizer on what was said; the template's ``<|…|>`` are a token each."""
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast

    marks = sorted({END, *re.findall(r"<\|\w+\|>", template)})
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(json.dumps, messages), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=END, chat_template=template
    )


def make_model(tokenizer: Any) -> Any:
    """Return a model of two layers that has learned nothing."""
    from transformers import Qwen3Config, Qwen3ForCausalLM, set_seed

    size = {"hidden_size": 32, "intermediate_size": 64, "head_dim": 16}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    set_seed(0)
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=len(tokenizer), **size, **layers))


def written(call: dict[str, Any], name: str) -> str:
    """Return what has to stand between ``<tool_call>`` and ``</tool_call>``."""
    tool, arguments = call["function"]["name"], call["function"]["arguments"]
    if name == "qwen3":
        said = json.dumps({"name": tool, "arguments": arguments}, ensure_ascii=False)
        return f"\n{said}\n"
    values = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in arguments.items()
    }
    return f"{tool}\n" + "".join(
        f"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"
        for key, value in values.items()
    )


def check(messages: list[Any], trained: str, name: str) -> None:
    """Stop unless what is trained on is what the assistant said, its calls word for word."""
    for message in messages:
        said = message["content"].strip()
        if message["role"] == "assistant" and said not in trained:
            sys.exit(f"{name} does not train on what the assistant said: {said}")
        if message["role"] in ("system", "user") and said in trained:
            sys.exit(f"{name} trains on what the {message['role']} said: {said}")
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    if not all(isinstance(call["function"]["arguments"], dict) for call in calls):
        sys.exit("there are arguments that came as text")
    found = re.findall("<tool_call>(.*?)</tool_call>", trained, re.DOTALL)
    if not calls or found != [written(call, name) for call in calls]:
        sys.exit(f"{name} trains on other tool calls than there are: {found}")


def train(rows: datasets.Dataset, tokenizer: Any) -> tuple[list[float], datasets.Dataset]:
    """Take two steps, and return their losses and the rows as they were made ready for them."""
    from trl import SFTConfig, SFTTrainer

    settings = SFTConfig(
        max_steps=2,
        assistant_only_loss=True,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_steps=1,
        per_device_train_batch_size=1,
        max_length=None,
    )
    model = make_model(tokenizer)
    trainer = SFTTrainer(model, settings, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return losses, trainer.train_dataset


def main(dataset: str, name: str) -> None:
    """Train on the semantic chains of the first release."""
    rows = datasets.load_dataset(dataset, "semantic-chain", split="train", revision="v1.0.0")
    rows = rows.select_columns(["messages", "tools"])
    tokenizer = make_tokenizer(rows["messages"][:], chat_template(name))
    losses, prepared = train(rows, tokenizer)
    if len(losses) != 2 or not all(map(math.isfinite, losses)):
        sys.exit(f"{name}: two steps give the losses {losses}")
    tokens, trained = 0, []
    for row, ready in zip(rows, prepared, strict=True):
        ours = [token for token in ready["labels"] if token != IGNORED]
        if not 0 < len(ours) < len(ready["input_ids"]):
            sys.exit(f"{name} trains on {len(ours)} of {len(ready['input_ids'])} tokens")
        check(row["messages"], tokenizer.decode(ours), name)
        tokens += len(ready["input_ids"])
        trained += ours
    text = tokenizer.decode(trained)[:300]
    found = {"losses": losses, "tokens": tokens, "trained": len(trained), "text": text}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
