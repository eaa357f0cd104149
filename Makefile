# `make help` lists what there is. Works with GNU make 3.81 (macOS) and up.

VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c '$(NEW_ENOUGH)' 2>/dev/null && { command -v "$$name"; break; }; done)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start many processes; each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-postgres lint e2e privacy privacy-mutants oracle bench serve clean python
.DELETE_ON_ERROR:

help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile
	@echo "  PYTHON=python3.12 chooses the Python that makes $(VENV); ARGS='-k consent' goes on to pytest."

demo: $(VENV)/.demo ## Track a demo face, simulate a month, export, open the web page (VIDEO=clip.mp4, SERVE=0)
	@$(BIN)/affect-tracker demo $(if $(VIDEO),--video "$(VIDEO)") $(if $(filter 0 no false,$(SERVE)),--no-serve)

test: $(VENV)/.dev ## Run the tests, those of the store and the gate on a real PostgreSQL too
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal $(ARGS)

test-slow: $(VENV)/.dev ## Run the tests that take long each: trainings, whole promises, long histories
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m 'slow and not postgres and not privacy' \
		tests $(ARGS)

test-postgres: $(VENV)/.dev ## Run the other rooms' tests again, on PostgreSQL (AFFECT_TEST_POSTGRES_URL names another)
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m 'postgres and not privacy' tests $(ARGS)

lint: $(VENV)/.dev ## Check style, formatting, types and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

e2e: $(VENV)/.dev ## Run the tests that drive a real browser (AFFECT_CHROMIUM names another Chromium)
	@$(BIN)/python -m tests.browser
	@$(BIN)/python -m pytest -m e2e tests/e2e $(ARGS)

privacy: $(VENV)/.dev ## Prove the 32 invariants of consent and privacy, and print their table (ARGS='8 14' picks some)
	@$(BIN)/python -m tests.invariants $(ARGS)
	@$(if $(ARGS),true,$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -m privacy --ignore=tests/invariants)

privacy-mutants: $(VENV)/.dev ## Break one promise at a time in a copy, and demand that its proof turns red
	@$(BIN)/python -m tests.invariants.mutants $(ARGS)

oracle: | $(BIN)/python ## Ask crowd-kit how raters agree, in an environment of its own, and record what it says
	@test -x $(VENV)-oracle/bin/python || $(BIN)/python -m venv $(VENV)-oracle
	@$(VENV)-oracle/bin/python -m pip install -q 'crowd-kit==1.4.2'
	@$(VENV)-oracle/bin/python tests/learning/oracle.py

bench: $(VENV)/.dev ## Measure speed on this machine
	@$(BIN)/affect-tracker bench

serve: $(VENV)/.demo ## Serve the web pages on this machine
	@$(BIN)/affect-tracker init >/dev/null && $(BIN)/affect-tracker serve

clean: ## Remove what these commands made; databases elsewhere stay
	@rm -rf $(VENV) $(VENV)-oracle build dist demo-output *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	@find tracker webui migrations tests -type d -name __pycache__ -prune -exec rm -rf {} +

# One clear line where Python is too old, absent, or without what makes a virtual environment.
python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer here. Install it: Debian, Ubuntu:" \
		"apt install python3 python3-venv; Fedora: dnf install python3.12; macOS: brew install python@3.12;" \
		"or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "PYTHON=$(PYTHON) is" \
		"$$("$(PYTHON)" --version 2>/dev/null || echo 'no Python that runs')," \
		"but affect-tracker needs Python 3.11 or newer." >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments (venv or ensurepip is missing). Install it:" \
		"Debian, Ubuntu: apt install $$("$(PYTHON)" -c \
		'import sys; print("python3-venv (or python%d.%d-venv)" % sys.version_info[:2])');" \
		"Fedora: dnf install python3; macOS: brew install python@3.12" >&2; exit 1; }

$(BIN)/python: | python
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.demo: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(call install,.[demo])

$(VENV)/.dev: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(call install,.[dev])
	@touch $(VENV)/.demo

# pip in the background, a dot every second, its words only when it fails; Ctrl-C stops both.
define install
	@printf 'Installing (one to three minutes)…'; \
	$(BIN)/python -m pip install -q -e '$(1)' -c $(CONSTRAINTS) >$(VENV)/install.log 2>&1 & pip=$$!; \
	trap 'kill $$pip; echo; exit 130' INT TERM; \
	while kill -0 $$pip 2>/dev/null; do printf .; sleep 1; done; echo; \
	wait $$pip || { cat $(VENV)/install.log >&2; \
		echo "The installation failed; pip's words are above and in $(VENV)/install.log." >&2; exit 1; }
	@touch $@
endef
