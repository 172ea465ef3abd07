"""Loads an exported dataset with LLaMA-Factory and prints, for each row, what it would train on.

    python export_llama_factory.py FOLDER DATASET TEMPLATE

The tokenizer is made here, of bytes alone: no model is to be had.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def byte_tokenizer() -> Any:
    """Return a tokenizer with a token for each byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    whole = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(alphabet)}, merges=[]))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    names = {"eos_token": "<|endoftext|>", "pad_token": "<|pad|>", "bos_token": "<|bos|>"}
    return PreTrainedTokenizerFast(tokenizer_object=whole, **names)


def main(folder: str, dataset: str, template: str) -> None:
    """Print the text and what is trained on of each row."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args

    arguments = {
        "model_name_or_path": "none",
        "stage": "sft",
        "do_train": True,
        "dataset": dataset,
        "dataset_dir": folder,
        "template": template,
        "cutoff_len": 1_000_000,
        "output_dir": "out",
        "use_cpu": True,
    }
    model, data, training, *_ = get_train_args(arguments)
    tokenizer = byte_tokenizer()
    how = get_template_and_fix_tokenizer(tokenizer, data)
    module = get_dataset(how, model, data, training, stage="sft", tokenizer=tokenizer)
    for row in module["train_dataset"]:
        trained = [label for label in row["labels"] if label != -100]
        said = {"text": tokenizer.decode(row["input_ids"]), "trained": tokenizer.decode(trained)}
        print("\x1e" + json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:4])
