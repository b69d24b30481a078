# `make run` and `make test` work in a fresh clone. What they install stays in .venv.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
FEED ?= auto
WORKERS ?= 4
PAGE_MIN ?= 30
# A file's tests stay together, and in their order: what takes long is not left for the end.
SPREAD := --dist loadfile --no-loadscope-reorder
# An install is good until the project file, the build or a kernel changes.
PAGE := web_build.py web/package-lock.json web/package.json web/index.html web/vite.config.ts $(shell find web/public web/src web/vite -type f ! -name '*.test.*')
BUILT := src/fondaco/gateway/web/stamp.sha256
KERNELS := $(wildcard $(addprefix src/,$(shell sed -n 's/^    "\(fondaco\/.*\.py\)",$$/\1/p' src/fondaco/kernel/compiled.py)))

NODE := $(shell command -v npm)

.PHONY: run test check soak bench docs requirements clients screens page test-page clean

run: .venv/installed $(BUILT)
	$(BIN)/fondaco up --demo --data .fondaco --port $(PORT) --feed $(FEED)

sandbox: .venv/installed $(BUILT)  # a house whose time is moved: docs/test-clock.md
	$(BIN)/fondaco up --sandbox --demo --data .fondaco-sandbox --port 8001

test: .venv/tested
	@$(MAKE) --no-print-directory test-page
	$(BIN)/pytest -n $(WORKERS) $(SPREAD)
	FONDACO_PURE=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) $(wildcard tests/kernel tests/market tests/runtime tests/trading)

# The page's own logic and types. Its journeys in a browser are in tests/web, with everything else.
test-page:
ifeq ($(NODE),)
	@echo "no npm here: the page's own tests are left out"
else
	$(MAKE) web/node_modules/.tested
	cd web && npm run --silent types && npm run --silent test
endif

# What is read rather than run: style, types, floors. Before every commit; .ci/run asks for it too.
check: .venv/tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The same promises for longer: more seeds of the faults that `make test` tries three of.
soak: .venv/tested
	FONDACO_SOAK=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) tests/simulation tests/properties tests/faults tests/fix/test_fuzz.py tests/conformance/test_bus.py tests/app/test_foreign_provider.py tests/gateway/test_schemathesis.py
	FONDACO_PURE=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) tests/properties
	FONDACO_SOAK=1 FONDACO_SOAK_PAGE_MIN=$(PAGE_MIN) $(BIN)/pytest -s tests/web/test_soak.py

# With --peer it also measures what `pip install --group bench` brings.
bench: .venv/tested
	$(BIN)/python benchmarks/orders.py

# Runs the tests that docs/requirements.toml names and prints, row by row, what they prove.
requirements: .venv/tested
	$(BIN)/pytest -q -n $(WORKERS) $(SPREAD) --requirements

# Pages that are made from what the rooms declare.
docs: .venv/installed
	$(BIN)/python tests/docs/catalog.py

# The typed clients, from today's OpenAPI and AsyncAPI documents; `make docs` makes them as well.
clients: .venv/tested
	$(BIN)/python clients/make.py

# An install builds the page; here it is built again for sources that have changed since.
page: $(BUILT)

$(BUILT): $(PAGE) | .venv/installed
	@$(BIN)/python web_build.py

# Pictures of every screen, of a house that is started for it.
screens: .venv/tested page
	PYTHONPATH=clients/python/src $(BIN)/python web/tools/screens.py

clean:
	rm -rf web/node_modules web/tools/node_modules src/fondaco/gateway/web .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache build src/*.egg-info
	find src -name '*.so' -delete -o -name '*.so.sha256' -delete

.venv/installed: pyproject.toml setup.py src/fondaco/kernel/compiled.py $(KERNELS)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

web/node_modules/.tested: web/package-lock.json
	cd web && npm ci --silent --ignore-scripts
	touch $@

web/tools/node_modules/.installed: web/tools/package-lock.json
	cd web/tools && npm ci --silent --ignore-scripts
	touch $@
