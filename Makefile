# `make run` and `make test` work in a fresh clone. What they install stays in .venv.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
FEED ?= auto
WORKERS ?= 2
# A file's tests stay together, and in their order: what takes long is not left for the end.
SPREAD := --dist loadfile --no-loadscope-reorder
# An install is good until the project file, the build or a kernel changes.
KERNELS := $(wildcard $(addprefix src/,$(shell sed -n 's/^    "\(fondaco\/.*\.py\)",$$/\1/p' src/fondaco/kernel/compiled.py)))

.PHONY: run test check soak bench docs requirements clean

run: .venv/installed
	$(BIN)/fondaco up --demo --data .fondaco --port $(PORT) --feed $(FEED)

test: check
	$(BIN)/pytest -n $(WORKERS) $(SPREAD)
	FONDACO_PURE=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) $(wildcard tests/kernel tests/market tests/runtime tests/trading)

check: .venv/tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The same promises for longer: more seeds of the faults that `make test` tries three of.
soak: .venv/tested
	FONDACO_SOAK=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) tests/simulation tests/properties tests/faults
	FONDACO_PURE=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) tests/properties

# With --peer it also measures what `pip install --group bench` brings.
bench: .venv/tested
	$(BIN)/python benchmarks/orders.py

# Runs the tests that docs/requirements.toml names and prints, row by row, what they prove.
requirements: .venv/tested
	$(BIN)/pytest -q -n $(WORKERS) $(SPREAD) --requirements

# Pages that are made from what the rooms declare.
docs: .venv/installed
	$(BIN)/python tests/docs/catalog.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build src/*.egg-info
	find src -name '*.so' -delete -o -name '*.so.sha256' -delete

.venv/installed: pyproject.toml setup.py src/fondaco/kernel/compiled.py $(KERNELS)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --group dev
	touch $@
