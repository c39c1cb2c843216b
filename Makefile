# Two commands are all a newcomer needs: `make run` and `make test`.
PYTHON ?= python3
PORT ?= 8000
RUN_ARGS ?=
TEST_ARGS ?=
bin := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check docs bench real serve clean

help: ## show these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run: .venv/.run ## build the seed graph, print its gaps, serve the pages on http://127.0.0.1:8000
	$(bin)/graphkit up --port $(PORT) $(RUN_ARGS)

serve: .venv/.run ## serve a graph that is already built
	$(bin)/graphkit serve --port $(PORT) $(RUN_ARGS)

test: .venv/.test ## run every test that this machine can run; what is left out is listed with its reason
	$(bin)/python -m pytest $(TEST_ARGS)

check: .venv/.test ## ruff, mypy and the floors of the house
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

docs: .venv/.test ## write docs/ontology.html
	$(bin)/python docs/build_ontology_page.py

bench: .venv/.test ## measure against peers, side by side
	for file in $(filter-out benchmarks/real_graph.py benchmarks/drawn_graph.py benchmarks/import_mapping.py,$(wildcard benchmarks/*.py)); do $(bin)/python $$file || exit 1; done

real: .venv/.test ## build real-store from the registers in GRAPHKIT_REAL_DATA (default ../shared/data)
	$(bin)/python benchmarks/real_graph.py --store real-store

clean: ## remove the environment, what was built, and the store in this folder
	rm -rf .venv webui/static webui/frontend/node_modules graphkit-store real-store

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "graphkit needs Python 3.11 or newer; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --upgrade pip

frontend := $(shell find webui/frontend -type f -not -path '*/node_modules/*')

.venv/.run: .venv/bin/python pyproject.toml hatch_build.py $(frontend)
	$(bin)/python -m pip install --quiet --editable .
	@touch $@

.venv/.test: .venv/bin/python pyproject.toml hatch_build.py $(frontend)
	$(bin)/python -m pip install --quiet --editable '.[dev]'
	test -d .venv/w3c-sparql11 || $(bin)/python -m tests.w3c || echo "the W3C's tests could not be fetched and are left out"
	@touch $@ .venv/.run
