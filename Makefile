# Everything a contributor or a CI job runs. `make` alone lists it.
#
# Needs make and any Python from 3.11 on; the rest is installed into .venv, pinned and hashed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The interpreter for .venv: `make venv PYTHON=python3.13` picks another one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV ?= .venv
BENCH_VENV ?= .venv-bench
ADAPTERS_VENV ?= .venv-adapters
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check --retries 8
# Tests start hundreds of processes; what the first of them compiles, the others need not.
unexport PYTHONDONTWRITEBYTECODE
# uv fetches side by side and compiles nothing: half a minute for what takes pip four. It reads no
# pip.conf: where only that says from where to install, pip does. $(call install,ENVIRONMENT,WHAT)
export UV_HTTP_TIMEOUT ?= 180
# Whatever fetches is tried three times: a network fails now and then. $(patient) COMMAND
patient = patient() { "$$@" || { sleep 5; "$$@"; } || { sleep 20; "$$@"; }; }; patient
install = { $(BIN)/uv pip install --quiet --no-deps --python $(1) $(2) \
	|| { $(patient) $(1)/bin/pip install $(PIP_FLAGS) --no-deps $(2); }; }
INSTALL_PINS := --require-hashes -r
INSTALL_SELF := --no-build-isolation --editable .

# Tests use both cores of a small machine; `make test WORKERS=0 ARGS="tests/context -k budget"`.
WORKERS ?= 2
ARGS ?=
PYTEST := $(BIN)/python -m pytest
TYPED := $(wildcard src tests tools examples benchmarks)

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# ------------------------------------------------------------------------------------- set up

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Daybook needs Python 3.11 or newer; none was found." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.uv: constraints-uv.txt | $(BIN)/python
	$(patient) $(BIN)/pip install $(PIP_FLAGS) --no-deps $(INSTALL_PINS) $<
	@touch $@

$(VENV)/.core: constraints-core.txt pyproject.toml | $(VENV)/.uv
	@test -e $(VENV)/.full || { $(call install,$(VENV),$(INSTALL_PINS) $<) && $(call install,$(VENV),$(INSTALL_SELF)); }
	@touch $@

$(VENV)/.full: constraints.txt pyproject.toml | $(VENV)/.uv
	$(call install,$(VENV),$(INSTALL_PINS) $<)
	$(call install,$(VENV),$(INSTALL_SELF))
	@touch $@ $(VENV)/.core

$(BENCH_VENV)/.full: constraints-bench.txt pyproject.toml | $(VENV)/.uv
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(call install,$(BENCH_VENV),$(INSTALL_PINS) $<)
	$(call install,$(BENCH_VENV),$(INSTALL_SELF))
	@touch $@

# A newer LangChain lies beside the one that resolvers choose; PYTHONPATH puts it in front.
NEWEST_LANGCHAIN := $(ADAPTERS_VENV)/langchain-newest

$(ADAPTERS_VENV)/.full: constraints-adapters.txt constraints-langchain-newest.txt pyproject.toml | $(VENV)/.uv
	test -x $(ADAPTERS_VENV)/bin/python || $(PYTHON) -m venv $(ADAPTERS_VENV)
	$(call install,$(ADAPTERS_VENV),$(INSTALL_PINS) $<)
	rm -rf $(NEWEST_LANGCHAIN)
	$(call install,$(ADAPTERS_VENV),--target $(NEWEST_LANGCHAIN) $(INSTALL_PINS) constraints-langchain-newest.txt)
	$(call install,$(ADAPTERS_VENV),$(INSTALL_SELF))
	@touch $@

# Real servers for the tests (docs/servers.md). npm needs no lock file for one pinned program.
DYNALITE := 4.0.0

$(VENV)/.servers: constraints-servers.txt | $(VENV)/.full
	$(call install,$(VENV),$(INSTALL_PINS) $<)
	@touch $@

$(VENV)/node/.dynalite-$(DYNALITE): | $(BIN)/python system-tools
	@command -v npm >/dev/null || { echo "npm is missing: the tests on dynalite cannot run" >&2; exit 0; }; \
	mkdir -p $(VENV)/node && { $(patient) npm install --prefix $(VENV)/node --no-save --no-package-lock --no-audit \
		--no-fund --loglevel=error dynalite@$(DYNALITE) >/dev/null; } && touch $@

.PHONY: servers
servers: $(VENV)/.servers $(VENV)/node/.dynalite-$(DYNALITE) ## Install the database servers that tests start

.PHONY: venv
venv: $(VENV)/.full ## Create .venv with all that development needs

.PHONY: everything
everything: venv servers system-tools $(ADAPTERS_VENV)/.full ## Install all that check and test need (make -j4)

# What is missing, as Debian packages: a tool that its package brings, then the package.
MISSING_TOOLS = $(shell \
	command -v strace >/dev/null || echo strace; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || echo postgresql; \
	command -v npm >/dev/null || echo nodejs npm)

.PHONY: system-tools
system-tools: ## Install what tests need from the system (strace, PostgreSQL, npm; Debian, as root)
	@missing="$(MISSING_TOOLS)"; test -z "$$missing" && exit 0; \
	get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 "$$@"; }; \
	install() { get install -y --no-install-recommends $$missing; }; \
	update_and_install() { get update && install; }; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ install || { $(patient) update_and_install; }; } >/dev/null; \
	else echo "missing: $$missing; the tests that need them cannot run" >&2; fi

# --------------------------------------------------------------------------------------- use

.PHONY: demo
demo: $(VENV)/.core ## Import a conversation and ask it questions: make demo [DATA=file]
	$(BIN)/daybook demo $(DATA)

.PHONY: examples
examples: venv ## Run every program in examples/
	$(PYTEST) -p no:randomly $(wildcard tests/examples) tests/repository/test_examples.py $(ARGS)

# -------------------------------------------------------------------------------------- verify

.PHONY: check
check: venv ## Formatting, lint, types, import contracts, sizes, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports
	$(BIN)/python tools/check_sizes.py
	$(BIN)/codespell

.PHONY: types
types: venv ## Types alone
	$(BIN)/mypy $(TYPED)

# A skipped test is a failure here: everything a test needs was installed above.
.PHONY: test
test: venv system-tools servers ## All tests, examples and doctests included (WORKERS=2 ARGS=...)
	DAYBOOK_TEST_REQUIRE=all HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} \
		$(PYTEST) --numprocesses=$(WORKERS) --durations=10 $(ARGS)
	$(if $(strip $(ARGS)),,$(MAKE) test-adapters)

# The adapters' frameworks live in an environment of their own; LangChain's newest is tested too.
# Frameworks' own suites may skip what does not apply, so only servers are required here.
ADAPTERS_PYTEST = DAYBOOK_TEST_REQUIRE=redis,postgres,mongodb \
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(ADAPTERS_VENV)/bin/python -m pytest -p no:benchmark

# What others' histories do beside ours does not hang on LangChain's version.
NEWEST_TESTS = tests/adapters/langchain --ignore=tests/adapters/langchain/test_backends_compared.py \
	--ignore=tests/adapters/langchain/test_incumbents.py

.PHONY: test-adapters
test-adapters: $(ADAPTERS_VENV)/.full system-tools ## Tests of the adapters, beside their frameworks
	$(ADAPTERS_PYTEST) --numprocesses=$(WORKERS) $(or $(ARGS),tests/adapters)
	$(if $(strip $(ARGS)),,PYTHONPATH=$(NEWEST_LANGCHAIN) $(ADAPTERS_PYTEST) --numprocesses=$(WORKERS) $(NEWEST_TESTS))

# What samples in CI (tests/effort.py) is gone through whole in the second leg.
TORTURE = DAYBOOK_TEST_REQUIRE=all HYPOTHESIS_PROFILE=torture \
	$(PYTEST) --numprocesses=$(WORKERS) --timeout=3600

.PHONY: torture
torture: venv system-tools servers ## Long crash, power-loss and concurrency tests, then all others at length
	$(TORTURE) -m torture $(ARGS)
	$(if $(strip $(ARGS)),,$(TORTURE) -m "not torture")

.PHONY: bench
bench: $(BENCH_VENV)/.full ## Measure speed beside other libraries: make bench [ARGS=...]
	$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

# --------------------------------------------------------------------------------------- tend

.PHONY: format
format: venv ## Format and fix what can be fixed
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: lock
lock: ## Rewrite the pins after changing dependencies (ARGS=--upgrade for newest)
	$(PYTHON) tools/lock_constraints.py $(ARGS)

.PHONY: changelog
changelog: venv ## Fold changes/*.md into CHANGELOG.md: make changelog VERSION=0.2.0
	$(BIN)/python tools/assemble_changelog.py $(VERSION)

.PHONY: clean
clean: ## Remove environments and caches
	rm -rf $(VENV) $(BENCH_VENV) $(ADAPTERS_VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
