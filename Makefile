# Every target does its own set-up: a .venv with the versions in constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
DEMO_DIR ?= demo_output
# What an editable install copies into site-packages; a change copies it again.
COPIED := model-index.yml $(wildcard tools/* configs/*/*.py configs/*/*/*.py configs/*/metafile.yml)

.PHONY: help setup demo test lint docs format clean

help:
	@echo "make demo    street scenes, a teacher, its student, a test, pictures"
	@echo "make test    the whole test suite"
	@echo "make lint    ruff, mypy, codespell"
	@echo "make docs    the documentation as a site, in site/"
	@echo "make setup   only the virtual environment .venv"

setup: $(VENV)/.copied

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "constraints.txt is for Python 3.11 to 3.13: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV): PyTorch and OpenMMLab, a few minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt torch -e '.[lite,mim,dev]'
	@touch $@ $(VENV)/.copied

$(VENV)/.copied: $(VENV)/.installed $(COPIED)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/sctnet demo --out-dir $(DEMO_DIR)

test: setup
	$(BIN)/python -m pytest -n 2 $(TESTFLAGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(DEMO_DIR) build dist site
