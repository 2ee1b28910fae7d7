# The two commands of a new clone: make demo, make test. Each makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready-$(shell cksum < requirements.lock | cut -d' ' -f1)

# Compiled modules are kept whatever the shell says: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test torture bench lint types clean

demo: $(READY)
	@$(BIN)/python execution/run_demo.py

test: $(READY)
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal

# Ratios with their limits, on this machine, and what grows with a ledger: half an hour. Needs wrk, and an idle machine.
bench: $(READY)
	@$(BIN)/python tests/benchmarks/run_bench.py
	@$(BIN)/python tests/benchmarks/bench_growth.py

# The long form: every crash both ways, a second one at every boundary of the recovery, every fault, kill and disorder.
TORTURE_SEED := $(or $(TORTURE_SEED),$(shell date +%s))
TORTURE := tests/torture tests/house/test_directives.py

torture: $(READY)
	@echo "TORTURE_SEED=$(TORTURE_SEED)"
	@TORTURE=1 TORTURE_SEED=$(TORTURE_SEED) $(BIN)/python -m pytest -q -n 2 $(TORTURE)

lint: $(READY)
	@$(BIN)/ruff check execution tests
	@$(BIN)/ruff format --check execution tests

types: $(READY)
	@$(BIN)/mypy

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tillbook needs Python 3.11 or newer, this is %s" % sys.version.split()[0])'
	@echo "Preparing $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/ready-*
	@touch $(READY)
