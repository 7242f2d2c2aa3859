# The front doors: `make up` and `make test`. Everything else is for those who work on Resonanz.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell scripts/jobs.sh)

.PHONY: help up setup test lint types unit acceptance bench fuzz fmt clean lock

help:  ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

up: setup  ## set everything up and start Resonanz
	@exec $(BIN)/resonanz up

setup: $(VENV)/.run  ## set up .venv, leaving .venv/bin/resonanz ready

test: $(VENV)/.dev  ## gates and all tests
	@scripts/test-packages.sh
	@$(MAKE) --no-print-directory lint
	@types=$$(mktemp); $(MAKE) --no-print-directory types >$$types 2>&1 & \
	$(MAKE) --no-print-directory unit; unit=$$?; \
	wait $$!; types_code=$$?; cat $$types; rm $$types; \
	exit $$((unit + types_code))

lint: $(VENV)/.dev  ## style, layers, dependencies
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/lint-imports
	$(BIN)/deptry src

types: $(VENV)/.dev  ## mypy --strict
	$(BIN)/mypy

# Where byte code may not be kept, each of the tests' many processes would compile everything again.
unit: export PYTHONDONTWRITEBYTECODE :=
unit: $(VENV)/.dev  ## the tests alone
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder  # in the order of tests/conftest.py

acceptance: $(VENV)/.dev  ## hold the work against the corpus beside the project, if it is there
	$(BIN)/python -m tests.acceptance

bench: $(VENV)/.dev  ## speed figures, each with its reference from the same run
	$(BIN)/python -m bench

fuzz: $(VENV)/.dev  ## look for mails that break the letter, until stopped; findings go to .fuzz/
	@mkdir -p .fuzz
	$(BIN)/python -m tests.fuzz.target .fuzz tests/fuzz/corpus

fmt: $(VENV)/.dev  ## format the code
	$(BIN)/ruff check --fix-only src tests bench
	$(BIN)/ruff format src tests bench

clean:  ## remove what these targets made (not the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

lock: $(VENV)/.dev  ## write constraints.txt anew from the newest versions pyproject.toml allows
	@scripts/lock.sh

$(VENV)/bin/python:
	@scripts/venv.sh "$(PYTHON)" "$(VENV)"

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Resonanz into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgres]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing what the tests need into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-dev.txt
	@touch $@
