# `make demo` shows what the program does; `make test` checks it in a few minutes, `make test-all` to the last. Each creates
# the environment it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Two goals at a time, the longest first; each prints when it is done, where make can do that.
TWO := $(MAKE) --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: demo test test-all tests-of-page tests-of-engine tests-of-server pythons lint types contracts docs browser \
  release clean

demo: $(READY)
	$(BIN)/patchloom demo --out demo --force

test: $(READY)
	$(TWO) WHICH="-m 'not slow'" lint tests-of-engine tests-of-server types contracts

test-all: $(READY) browser
	$(TWO) lint tests-of-page tests-of-engine tests-of-server types contracts

tests-of-page:
	$(BIN)/pytest tests/e2e

tests-of-server:
	$(BIN)/pytest $(WHICH) tests/server

tests-of-engine:
	$(BIN)/pytest $(WHICH) --ignore=tests/e2e --ignore=tests/server

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@for file in src/patchloom/server/static/js/*.js; do \
	  ! command -v node >/dev/null || node --input-type=module --check < $$file || exit 1; done

# The oldest and the newest Python that are supported, each in an environment of its own.
pythons:
	for version in 3.11 3.13; do $(MAKE) test PYTHON=python$$version VENV=.venv-$$version || exit 1; done

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# The pages made from the program itself (a test compares them with what this would write), then the site: open
# site/index.html. Links and anchors are checked; a warning is an error.
docs: $(READY)
	$(BIN)/python docs/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The page is tested in the system's Chromium; without it, and without the right to install it, those tests are skipped.
browser:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
	  >/dev/null 2>&1 || echo "Chromium is not here: the tests in a browser are skipped."

# Nothing is compiled beforehand: of 13,000 modules few are ever imported, and those compile themselves then.
# torch first and by its exact name: where a CPU wheel lies on the find-links path, pip then takes that one.
$(READY): pyproject.toml constraints.txt Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --no-compile "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[web,metrics,eval,cluster,heif,jxl,onnx]' --group dev
	touch $@

# Wheel and source distribution in dist/, tried in a clean environment without a network, with checksums.
release: $(READY)
	$(BIN)/python scripts/release.py $(RELEASE)

clean:
	rm -rf $(VENV) demo runs build dist site .mypy_cache .ruff_cache .pytest_cache
