# One command each. `make` alone lists them. The first call of any makes .venv from
# requirements.lock (.ci/setup); later calls reuse it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?=
PROFILE ?= quick
NAMES ?=
OPTIONS ?=
DEVICE ?= auto
CHAPTER ?=
JOBS ?= 2
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export AVSEP_SHARED ?= ../shared/data
export JUPYTER_PREFER_ENV_PATH := 1
TIDY := OMP_NUM_THREADS=1

.PHONY: help setup test lint book check real test-slow notebook bench results weights links clean

help:  ## list these targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1\t\2/p' Makefile | \
	  while IFS=$$'\t' read -r name text; do printf '  %-10s  %s\n' "$$name" "$$text"; done

setup:  ## make .venv from requirements.lock, unless it is there already
	@PYTHON="$(PYTHON)" .ci/setup

lint: setup  ## ruff, mypy, and the linters of the workflows
	@ruff check .
	@mypy
	@zizmor --offline --no-progress --quiet .github/workflows
	@check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --builtin-schema vendor.citation-file-format --default-filetype yaml CITATION.cff

test: lint  ## lint, types and the fast tests, with coverage
	@$(TIDY) $(PY) -m pytest -q -n $(JOBS) --cov --cov-report=term

book: setup  ## run every notebook (PROFILE=quick) and build the site in _build/html
	@$(PY) -m book.build --profile $(PROFILE) --device $(DEVICE)

check: setup  ## open every page of the built site in a browser, with the network cut
	@test -f _build/html/index.html || $(MAKE) --no-print-directory book
	@$(PY) -m pytest -q -rs -m site tests/book/test_site.py

real: setup  ## run the chapters on the real clips in AVSEP_SHARED (../shared/data)
	@$(PY) -m pytest -q -rs -m real tests/real -s

test-slow: setup  ## clean installs, kill and resume, damaged input
	@$(TIDY) $(PY) -m pytest -q -rs -m slow

notebook: setup  ## open the notebooks in JupyterLab; CHAPTER=00_foundations runs one instead
ifeq ($(CHAPTER),)
	@$(PY) -m jupyterlab notebooks
else
	@$(PY) -m book.execute $(CHAPTER) --profile $(PROFILE) --device $(DEVICE)
endif

bench: setup  ## speed and memory beside plain and library versions
	@for file in benchmarks/*.py; do echo "== $$file"; $(PY) "$$file" || exit 1; done

results: setup  ## run the notebooks with profile=report into results/ (hours; stop and resume)
	@$(PY) -m book.execute $(CHAPTER) --profile report --device $(DEVICE) --real

weights: setup  ## train the shipped networks (hours; stop and resume); CHAPTER=deep_clustering NAMES="dc avdc" for some
	@for room in $(or $(CHAPTER),looking_to_listen deep_clustering co_separation); do \
	  $(PY) -m avsep_core.$$room.recipes $(NAMES) --device $(DEVICE) $(OPTIONS) || exit 1; done

links: book  ## ask every outside link of the site whether it still answers
	@$(PY) -m book.build --profile $(PROFILE) --device $(DEVICE) --linkcheck

clean:  ## remove what was built, but neither .venv nor results/
	@rm -rf _build .pytest_cache .mypy_cache .ruff_cache .coverage .hypothesis
