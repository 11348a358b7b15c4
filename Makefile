# make demo   install (runtime only), do the main job on the shipped examples in ./.demo, then serve it on localhost
# make test   install with test extras, run linters, types, layers and the whole test suite
# make integration   test beside other tools, each installed below .integration/; GROUPS="prov jena" runs these alone
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SERVE ?= 1
# Each process gets a half, so that few files are divided between them and have their fixtures twice.
PYTEST_ARGS ?= -n 2 --dist worksteal
# The tests to run, a folder or a file: make test T=tests/codecs
T ?= tests
GROUPS ?= all
# Seconds that all groups may take; empty: no limit.
LIMIT ?=
# Another interpreter than the environment was made with makes it anew.
MADE := $(VENV)/.made-$(shell $(PYTHON) -c 'import sys; print(sys.implementation.cache_tag)')
# Stale __pycache__ and the network are nobody's business once the environment is made.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types layers unit integration bench reference vendor kill growth clean

$(MADE):
	$(PYTHON) -m venv $(if $(wildcard $(VENV)/pyvenv.cfg),--clear) $(VENV)
	@touch $@

$(VENV)/.runtime: $(MADE) pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	$(PIP) --editable '.[test,build,examples,oidc]'
	@touch $@

demo: $(VENV)/.runtime
	$(BIN)/provrepo demo $(if $(filter 0,$(SERVE)),--no-serve,)

test: lint types layers unit

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports

# Without bytecode on disk every process that a test starts would compile the package anew.
unit: $(VENV)/.test
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --durations=10 --durations-min=0.5 $(PYTEST_ARGS) $(T)

integration: $(VENV)/.test
	$(BIN)/python -m tests.integration $(if $(LIMIT),--seconds $(LIMIT)) $(GROUPS)

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

kill: $(VENV)/.test
	$(BIN)/python -m tests.support.kill --rounds 200
	$(BIN)/python -m tests.support.kill_capture --rounds 200
	$(BIN)/python -m tests.support.kill_exchange --rounds 300
	$(BIN)/python -m tests.support.kill_mirror --rounds 300
	$(BIN)/python -m tests.support.kill_package --rounds 300
	$(BIN)/python -m tests.support.flips --flips 100

growth: $(VENV)/.test
	$(BIN)/python -m tests.support.growth

# The editor of the query page, from web/editor: needs Node, and npm packages once.
vendor:
	sh web/editor/build.sh

reference: $(VENV)/.test
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .venv-* .integration .demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
