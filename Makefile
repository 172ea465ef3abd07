# Everything a newcomer needs. A machine with Python 3.11 or newer, git and pip is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build-demo

.PHONY: install demo test test-all lint bench bench-quick lock clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: install  ## make a small repository, build a dataset from it, and load every config
	$(BIN)/python examples/make_repository.py $(DEMO)/tallybook
	$(BIN)/davinci-agency run examples/dataset.toml
	$(BIN)/davinci-agency stats $(DEMO)/release
	$(BIN)/python examples/show.py $(DEMO)/release

test: install  ## the whole test suite, on all cores
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: test  ## and old and new clients, each in an environment of its own
	$(BIN)/python -m pytest -m matrix tests/matrix

lint: install  ## style, types, the direction of imports, and whether the schemas may be released
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/davinci-agency schema check --schemas schemas --changelog CHANGELOG.md

PEERS := .peers
CLONES :=  # for the whole line: numpy.git=numpy/numpy ...

$(PEERS): | install  # beside the environment, which stays what the lock says
	$(BIN)/python -m pip install --quiet --no-deps --target $@ rensa datasketch detect-secrets scipy

bench: install $(PEERS)  ## everything measured beside its peers, into BENCHMARKS.md; a quarter of an hour
	$(BIN)/python -m tests.benchmarks.report $(CLONES)

bench-quick: install $(PEERS)  ## the same with small inputs, in some five minutes
	$(BIN)/python -m tests.benchmarks.report --quick $(CLONES)

lock:  ## pin every dependency again (needs uv)
	uv pip compile pyproject.toml --extra dev --extra llm --extra tokens --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --upgrade --quiet -o requirements.lock

clean:
	rm -rf $(VENV) $(DEMO) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
