# firsthand: everything starts here.  `make train` and `make test` do their own set-up, in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q
# modules, and tests with their assertions rewritten, are compiled once, and not by every process of the tests
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help train test test-all check docs bench clean

help:
	@echo "make train   set up, then train the digit reader on MNIST (half a minute, after setting up once)"
	@echo "make test    set up, then the gate: format, lint, types, tests, documentation examples"
	@echo "make test-all   the same with the slow tests: killed runs, many processes, whole trainings, as CI runs it"
	@echo "make check   the same in twenty seconds: format, lint, and the tiny tests"
	@echo "make docs    set up MkDocs, then write the documentation into site/, to be read offline"
	@echo "make bench   set up PyTorch and others, then measure the same networks in all of them"
	@echo "make clean   remove what set-up and builds made"

train: $(VENV)/.ready
	$(BIN)/firsthand train

test: $(VENV)/.ready-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -n auto -m "not slow"

test-all: $(VENV)/.ready-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -n auto

check: $(VENV)/.ready-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	FIRSTHAND_COMPILATION_CACHE=$(VENV)/compiled $(BIN)/pytest -p no:schemathesis -m tiny $$(grep -rl --include='test_*.py' 'mark\.tiny' tests)

docs: $(VENV)/.ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
	@echo "site/index.html"

bench: $(VENV)/.ready-bench
	$(BIN)/python -m benchmarks

# Without build isolation the kernel is compiled against the very jaxlib that it will run in.
$(VENV)/.ready: pyproject.toml setup.py constraints.txt $(wildcard src/firsthand/kernels/*.cc src/firsthand/kernels/*.h)
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "firsthand needs Python 3.11 or later, found " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV), once, in two or three minutes: 1 of 2, downloading JAX ..."
	@$(PIP) install -c constraints.txt setuptools jaxlib
	@echo "2 of 2, compiling the kernels and installing firsthand and the lab ..."
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[lab]'
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready
	@echo "installing what the tests need, once ..."
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[test]'
	@touch $@

$(VENV)/.ready-docs: $(VENV)/.ready
	@echo "installing MkDocs, once ..."
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[docs]'
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready
	@echo "installing PyTorch, Keras and scikit-learn, once ..."
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) build dist site src/*.egg-info src/firsthand/kernels/*.so
