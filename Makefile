# `make demo` shows what the program does; `make test` checks everything. Each creates the environment it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types contracts clean

demo: $(READY)
	$(BIN)/patchloom demo --out demo --force

test: check

check: lint types contracts
	$(BIN)/pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# torch first and by its exact name: where a CPU wheel lies on the find-links path, pip then takes that one.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[web,eval,cluster]' --group dev
	touch $@

clean:
	rm -rf $(VENV) demo runs build dist .mypy_cache .ruff_cache .pytest_cache
