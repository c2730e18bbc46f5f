# Everything a newcomer types. Each target does its own set-up; nothing but Python 3.11 and make is needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: demo test lint audit check bench format lock clean

demo: $(VENV)/runtime.stamp  ## a whole quarter passes, then the server stays up
	$(BIN)/minyi demo $(ARGS)

test: $(VENV)/dev.stamp  ## the tests, on every core; warnings are errors
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: $(VENV)/dev.stamp  ## format, lint, types, room boundaries
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(VENV)/dev.stamp  ## known vulnerabilities in the runtime lock, where the data can be reached
	$(BIN)/python .ci/audit $(BIN)/pip-audit

check: lint audit test  ## the one check: everything

bench: $(VENV)/dev.stamp  ## measure; writes benchmarks/results.md
	$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
       --generate-hashes --no-emit-index-url --no-header --no-annotate
lock: $(VENV)/dev.stamp  ## refresh the pinned, hashed dependencies
	$(LOCK) --extra build -o lock/runtime.txt
	$(LOCK) --extra build --extra dev -c lock/runtime.txt -o lock/dev.txt

$(VENV)/runtime.stamp: lock/runtime.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: lock/dev.txt $(VENV)/runtime.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/dev.txt
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
