# Every target does its own set-up: a .venv with the versions in constraints.txt.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
DEMO_DIR ?= demo_output
# Tests that need packages of their own: an environment and a list for each group.
MORE := browser training
comma := ,
# What an editable install copies into site-packages; a change copies it again.
COPIED := model-index.yml $(wildcard tools/* configs/*/*.py configs/*/*/*.py configs/*/metafile.yml)

.PHONY: help setup demo test test-fast test-more lint docs format clean $(MORE:%=test-%)
.SECONDARY:

help:
	@echo "make demo       street scenes, a teacher, its student, a test, pictures"
	@echo "make test       the test suite, at most 8 minutes on two cores"
	@echo "make test-fast  what needs no process, training or export of its own: 2 minutes"
	@echo "make test-more  what needs a browser, or a whole training: at most 30 minutes"
	@echo "make lint       ruff, mypy, codespell"
	@echo "make docs       the documentation as a site, in site/"
	@echo "make setup      only the virtual environment .venv"

setup: .venv/.copied

# $(1): extras; $(2): what the environment takes beyond the package and its extras.
define install
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "constraints.txt is for Python 3.11 to 3.13: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(@D): PyTorch and OpenMMLab, a few minutes"
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet -c constraints.txt torch -e '.[lite,mim,$(1)]' $(2)
	@touch $@ $(@D)/.copied
endef

.venv/.installed: pyproject.toml constraints.txt
	$(call install,dev)

.venv-%/.installed: pyproject.toml constraints.txt tests/more/%.txt
	$(call install,onnx$(comma)test,-r tests/more/$*.txt)

%/.copied: %/.installed $(COPIED)
	$*/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/sctnet demo --out-dir $(DEMO_DIR)

test: setup
	$(BIN)/python -m pytest -n 2 $(TESTFLAGS)

test-fast: setup
	$(BIN)/python -m pytest -n 2 -m 'not slow and not more' $(TESTFLAGS)

test-more: setup $(MORE:%=test-%)
	$(BIN)/python -m pytest -n 2 -m more $(TESTFLAGS)

$(MORE:%=test-%): test-%: .venv-%/.copied
	.venv-$*/bin/python -m pytest -n 2 tests/more/$* $(TESTFLAGS)

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
	rm -rf .venv .venv-* $(DEMO_DIR) build dist site
