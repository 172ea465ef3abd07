"""``davinci-agency run`` from a repository to a dataset that loads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from davinci_agency.cli.main import cli
from davinci_agency.release import CONFIGS
from tests.command import davinci, environment, tree
from tests.conftest import EXAMPLES
from tests.line.conftest import Line, write_recipe


@pytest.mark.parametrize("stage", ["mine", "chain", "query"])
def test_a_stage_imports_nothing_heavy_of_the_others(stage: str) -> None:
    script = (
        f"import sys, davinci_agency.cli.{stage}, davinci_agency.{stage}, davinci_agency.pipeline\n"
        "print([n for n in ('datasets', 'numba', 'pandas', 'pyarrow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_every_config_of_the_example_loads_with_its_rows(line: Line, tmp_path: Path) -> None:
    manifest = json.loads((line.release / "manifest.json").read_bytes())
    assert set(manifest["rows"]) == set(CONFIGS)
    for config, rows in manifest["rows"].items():
        loaded = datasets.load_dataset(str(line.release), config, cache_dir=str(tmp_path))
        assert {split: len(loaded[split]) for split in loaded} == {"train": rows}
        assert rows > 0


def test_a_sample_comes_back_with_its_chain_and_its_conversation(
    line: Line, tmp_path: Path
) -> None:
    row = datasets.load_dataset(
        str(line.release), "semantic-chain", split="train", cache_dir=str(tmp_path)
    )[0]
    assert [stage["number"] for stage in row["stages"]] == [8, 15, 22]
    assert [(edge["source"], edge["target"], edge["type"]) for edge in row["edges"]] == [
        (15, 8, "follows-up"),
        (22, 15, "fixes"),
    ]
    assert all(str(edge["target"]) in edge["evidence"][0]["quote"] for edge in row["edges"])
    assert row["messages"][-1]["role"] == "assistant"
    calls = [call for message in row["messages"] for call in message.get("tool_calls", [])]
    assert all(isinstance(call["function"]["arguments"], dict) for call in calls)
    assert len({call["id"] for call in calls}) == len(calls) == row["num_tool_calls"]
    bounds = [(stage["message_start"], stage["message_end"]) for stage in row["stages"]]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == len(row["messages"])
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    for stage in row["stages"]:
        first = row["messages"][stage["message_start"]]
        first = row["messages"][stage["message_start"] + (first["role"] == "system")]
        assert stage["query"] in first["content"]
        assert stage["model_patch"].startswith("diff --git ")


def test_streaming_gives_the_same_rows(line: Line, tmp_path: Path) -> None:
    name, config = str(line.release), "tasks"
    whole = datasets.load_dataset(name, config, split="train", cache_dir=str(tmp_path))
    streamed = datasets.load_dataset(name, config, split="train", streaming=True)
    assert [row["task_id"] for row in streamed] == whole["task_id"][:]


def test_two_workers_give_the_bytes_that_one_gives(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    other = write_recipe(tmp_path, repository, trajectories=EXAMPLES / "trajectories")
    assert davinci("run", other.recipe, "--workers", "2").code == 0
    assert tree(other.release) == tree(line.release)


def test_a_second_run_does_nothing_and_changes_nothing(line: Line) -> None:
    before = tree(line.release)
    result = davinci("run", line.recipe, "--json")
    summaries = [json.loads(text) for text in result.stdout.splitlines()]
    assert result.code == 0
    assert [summary["skipped"] for summary in summaries] == [True] * 6
    assert tree(line.release) == before


def test_a_changed_option_redoes_only_what_follows_from_it(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    other = write_recipe(tmp_path, repository, trajectories=EXAMPLES / "trajectories")
    assert davinci("run", other.recipe).code == 0
    write_recipe(
        tmp_path,
        repository,
        trajectories=EXAMPLES / "trajectories",
        more="[build]\nthreshold = 0.0",
    )
    result = davinci("run", other.recipe, "--json")
    skipped = {
        summary["stage"]: summary["skipped"]
        for summary in map(json.loads, result.stdout.splitlines())
    }
    assert skipped == {
        "mine example/tallybook": True,
        "chain": True,
        "query": True,
        "ingest": True,
        "curate": True,
        "build": False,
    }


def test_a_damaged_shard_is_made_again(line: Line, repository: Path, tmp_path: Path) -> None:
    other = write_recipe(tmp_path, repository, trajectories=EXAMPLES / "trajectories")
    assert davinci("run", other.recipe).code == 0
    shard = next((other.release / "tasks").iterdir())
    shard.write_bytes(shard.read_bytes()[:-10])
    assert davinci("run", other.recipe).code == 0
    assert tree(other.release) == tree(line.release)


def test_a_new_pull_request_in_the_repository_is_seen(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--mirror", repository, clone], check=True)
    other = write_recipe(tmp_path / "d", clone, trajectories=EXAMPLES / "trajectories")
    first = davinci("run", other.recipe, "--json")
    head = subprocess.run(
        ["git", "--git-dir", clone, "rev-parse", "HEAD^{tree}", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    identity = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    commit = subprocess.run(
        ["git", "--git-dir", clone, "commit-tree", head[0], "-p", head[1], "-m", "Say more (#99)"],
        check=True,
        capture_output=True,
        text=True,
        env=environment() | identity,
    ).stdout.strip()
    subprocess.run(["git", "--git-dir", clone, "update-ref", "HEAD", commit], check=True)
    second = davinci("run", other.recipe, "--json")
    mined = [json.loads(result.stdout.splitlines()[0]) for result in (first, second)]
    assert mined[1]["out"] == mined[0]["out"] + 1


@pytest.mark.parametrize("config", ["semantic-chain", "attempts"])
def test_arrow_shards_hold_what_parquet_shards_hold(
    config: str, line: Line, repository: Path, tmp_path: Path
) -> None:
    other = write_recipe(
        tmp_path / "d",
        repository,
        trajectories=EXAMPLES / "trajectories",
        more='[build]\nformat = "arrow"',
    )
    assert davinci("run", other.recipe).code == 0
    loaded = [
        datasets.load_dataset(str(a_line.release), config, split="train", cache_dir=str(cache))
        for a_line, cache in ((line, tmp_path / "a"), (other, tmp_path / "b"))
    ]
    assert loaded[0].features == loaded[1].features
    assert loaded[0][:] == loaded[1][:]


def test_the_stages_one_by_one_give_what_run_gives(
    line: Line, repository: Path, tmp_path: Path
) -> None:
    pulls, chains, tasks, attempts = (
        tmp_path / f"{name}.jsonl.zst" for name in ("pulls", "chains", "tasks", "attempts")
    )
    runner = CliRunner()
    for arguments in (
        ["mine", repository, "--repo", "example/tallybook", "--license", "MIT", "--out", pulls],
        ["chain", pulls, "--clone", f"example/tallybook={repository}", "--out", chains],
        ["query", chains, "--out", tasks],
        ["ingest", EXAMPLES / "trajectories", "--tasks", tasks, "--out", attempts],
        ["build", "--pulls", pulls, "--tasks", tasks, "--attempts", attempts,
         "--out", tmp_path / "release", "--name", "tallybook"],
    ):  # fmt: skip
        result = runner.invoke(cli, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
    for config in set(CONFIGS) - {"removals"}:
        shard = f"{config}/train-00000-of-00001.parquet"
        assert (tmp_path / "release" / shard).read_bytes() == (line.release / shard).read_bytes()


def test_stages_read_and_write_standard_streams(repository: Path, tmp_path: Path) -> None:
    mined = davinci("mine", repository, "--repo", "example/tallybook", "--out", "-")
    chained = davinci("chain", "-", "--out", "-", stdin=mined.stdout.encode())
    assert mined.code == chained.code == 0
    kinds = [json.loads(text)["kind"] for text in chained.stdout.splitlines()]
    assert kinds.count("semantic-chain") == 2


def test_a_release_validates_and_a_changed_byte_does_not(line: Line, tmp_path: Path) -> None:
    assert davinci("validate", line.release).code == 0
    copy = tmp_path / "release"
    for name, content in tree(line.release).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
    shard = next((copy / "tasks").iterdir())
    damaged = bytearray(shard.read_bytes())
    damaged[100] ^= 1
    shard.write_bytes(damaged)
    result = davinci("validate", copy)
    assert result.code == 1
    assert "its digest differs" in result.stdout


def test_the_card_names_the_files_of_each_config_and_is_true(line: Line) -> None:
    text = (line.release / "README.md").read_text()
    front_matter = yaml.safe_load(text.split("---\n")[1])
    assert front_matter["license"] == "mit"
    assert "dataset_info" not in front_matter
    for config in front_matter["configs"]:
        for files in config["data_files"]:
            assert all((line.release / path).is_file() for path in files["path"])
    assert davinci("card", line.release, "--check").code == 0


def test_shards_carry_no_hugging_face_metadata(line: Line) -> None:
    for path in line.release.rglob("*.parquet"):
        assert b"huggingface" not in (pq.read_schema(path).metadata or {})


def test_a_card_that_says_something_else_is_found(line: Line, tmp_path: Path) -> None:
    copy = tmp_path / "release"
    for name, content in tree(line.release).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
    card = copy / "README.md"
    card.write_text(card.read_text().replace("| `tasks` | task | 22 |", "| `tasks` | task | 21 |"))
    assert davinci("card", copy, "--check").code == 1
    assert davinci("card", copy).code == 0
    assert davinci("card", copy, "--check").code == 0


def test_stats_are_there_for_people_and_for_machines(line: Line) -> None:
    assert "semantic-chain" in davinci("stats", line.release).stdout
    stats = davinci("stats", line.release, "--json").summary
    assert stats["configs"]["semantic-chain"]["stages"] == {"3": 1}
    assert stats["configs"]["attempts"]["rows"] == 4


def test_nobody_s_e_mail_address_is_in_the_release(line: Line, tmp_path: Path) -> None:
    history = (EXAMPLES / "history" / "pulls.toml").read_text()
    domains = set(re.findall(r"<[^@>]+@([^>]+)>", history))
    assert len(domains) > 2
    for config in CONFIGS:
        loaded = datasets.load_dataset(
            str(line.release), config, split="train", cache_dir=str(tmp_path)
        )
        for row in loaded:
            text = json.dumps(row, default=str)
            assert not any(f"@{domain}" in text for domain in domains)
