# The house keys. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup setup-test save test test-fast lint soak bench docs lock clean

# the first Python that is new enough; or name one: make setup PYTHON=/path/to/python3
PYTHON ?= $(firstword $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p"; done) python3)
BIN := .venv/bin

# A URL is taken as it is typed, `$` included, and reaches the shell as an environment variable.
ifdef URL
override URL := $(value URL)
endif
export URL CONTACT COLLECTION OUT

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */  make \1	/p' Makefile

setup:  ## everything `archiver` needs: environments, browser, consent rules (RETRY=1 tries again what failed)
	@$(PYTHON) infra/setup.py $(if $(RETRY),--retry)

setup-test:  ## the same, with the developers' tools and the test servers
	@$(PYTHON) infra/setup.py --tests $(if $(RETRY),--retry)

save: setup  ## archive the bundled site, or URL=... CONTACT=you@example.org [COLLECTION=... OUT=...]
	@if [ -z "$$URL" ]; then set -- --demo; else set -- "$$URL"; fi; \
	if [ -n "$$CONTACT" ]; then set -- "$$@" --contact "$$CONTACT"; fi; \
	if [ -n "$$COLLECTION" ]; then set -- "$$@" --collection "$$COLLECTION"; fi; \
	if [ -n "$$OUT" ]; then set -- "$$@" --out "$$OUT"; fi; \
	exec $(BIN)/archiver save "$$@"

test: setup-test lint  ## all checks and tests; REQUIRE=all makes a skip a failure
	$(BIN)/python -m pytest -q -n 3 --dist loadfile -m "not soak"

test-fast:  ## only what needs no server, browser or pywb
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not soak and not system and not browser and not replay"

lint:  ## ruff, mypy --strict, the import contracts
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: setup-test  ## the long forms
	$(BIN)/python -m pytest -q -m soak --timeout 3600

bench: setup-test  ## the benchmark, public tools side by side
	$(BIN)/python infra/bench/run.py

docs:  ## write the pages that are made from the code
	$(BIN)/python -m archiver.config.docs > docs/operator/config.md
	$(BIN)/python -m archiver.ledger.sentences > docs/auditor/reasons.md
	$(BIN)/python -m archiver.policy.tables > docs/auditor/policies.md

lock: setup-test  ## renew the hashed locks, within pyproject.toml and infra/requirements/*.in
	sh infra/lock.sh

clean:  ## remove what set-up and tests made; archives stay
	rm -rf .venv .venv-pywb infra/consent/node_modules infra/axe/node_modules infra/replaywebpage/node_modules build dist *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	find archiver spiders tests infra -name __pycache__ -type d -prune -exec rm -rf {} +
