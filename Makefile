# Everything a person or CI does with Bowerbird. `make help` lists the targets.
PYTHON ?= python3
DATA ?= ./data
PORT ?= 8000
SECONDS ?= 60
KILLS ?= 200
SEED ?= 1
SOAK_S ?= 600
# One more than there are cores: some tests wait for time limits to run out.
QUICK_PROCESSES ?= 3
BIN := .venv/bin
SOURCES := server trainer migrations tests benchmarks docs

# Where this is set, each of the many processes that tests start would compile the server anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint format types web unit demo pictures fuzz extension crash-suite hooks bench-fetch bench-growth bench-latency soak bench-near bench-server bench-extension bench-trainer bench-train bench-abstain bench-cleaner bench-exports bench-workbench bench-serve bench-drift bench-evidence bench-gates clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: .venv/run.stamp ## Install what is needed, migrate ./data, serve http://127.0.0.1:8000 with the trainer
	$(BIN)/bowerbird serve --data $(DATA) --port $(PORT)

test: .venv/test.stamp node_modules/stamp ## Install what tests need and run every check and test
	@tests/install-browsers
	@$(MAKE) --no-print-directory -j2 lint types web
	@$(MAKE) --no-print-directory unit
	$(BIN)/pytest -q -n 2 --dist loadfile -m "slow or browser"

check: .venv/test.stamp node_modules/stamp ## The quick answer: all but slow and browser tests
	@$(MAKE) --no-print-directory -j2 unit lint types web

lint: .venv/test.stamp ## ruff, import-linter
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/lint-imports

types: .venv/test.stamp ## mypy --strict
	$(BIN)/mypy

web: node_modules/stamp ## ESLint, tsc, prettier, web-ext lint and the node tests
	npm run --silent check

unit: .venv/test.stamp ## Python tests that are neither slow nor in a browser
	$(BIN)/pytest -q -n $(QUICK_PROCESSES) --dist worksteal -m "not slow and not browser"

extension: node_modules/stamp extension/vendor/NOTICE ## Put what runs models in the browser into the extension

demo: .venv/test.stamp node_modules/stamp ## Watch the whole loop on real photos
	@tests/install-browsers
	$(BIN)/python -m tests.demo

pictures: .venv/test.stamp node_modules/stamp ## Take the pictures of docs/pages.md anew
	@tests/install-browsers
	$(BIN)/python docs/make_page_pictures.py

format: .venv/test.stamp node_modules/stamp ## Format all sources
	$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	$(BIN)/ruff format $(SOURCES)
	npm run --silent format

fuzz: .venv/test.stamp ## Look for addresses and pictures that break the checks, SECONDS=60 for each kind
	@$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	for target in addresses redirects guard robots pictures; do \
	  $(BIN)/python -m tests.fuzz.guided $$target $(SECONDS) || exit 1; done

crash-suite: .venv/test.stamp ## Kill a downloading server at each boundary and at KILLS=200 random moments of SEED=1
	CRASH_KILLS=$(KILLS) CRASH_SEED=$(SEED) $(BIN)/pytest -q -s tests/e2e/test_crashes_downloads.py

hooks: ## Run `make check` before each commit
	printf '#!/bin/sh\nexec make check\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit

bench-fetch: .venv/test.stamp ## Measure downloading beside img2dataset, fastai and the bare limit
	$(BIN)/python benchmarks/bench_fetch.py

bench-growth: .venv/run.stamp ## Measure what an image costs with up to a million in the queue
	$(BIN)/python benchmarks/bench_growth.py

bench-latency: .venv/run.stamp ## Measure how fast the API answers while images are downloaded
	$(BIN)/python benchmarks/bench_latency.py

soak: .venv/run.stamp ## Download at full rate for SOAK_S=600 seconds; fail if memory or descriptors grow
	$(BIN)/python benchmarks/soak.py $(SOAK_S)

bench-near: .venv/run.stamp ## Measure the search for near-duplicates
	$(BIN)/python benchmarks/bench_near.py

bench-server: .venv/run.stamp ## Measure start, memory and downloads
	$(BIN)/python benchmarks/bench_server.py

bench-extension: .venv/test.stamp ## Measure reading, popup and marks with 2,000 results
	@tests/install-browsers
	$(BIN)/python benchmarks/bench_extension.py

bench-trainer: .venv/test.stamp node_modules/stamp ## Measure a training on real photos
	$(BIN)/python benchmarks/bench_trainer.py

bench-train: .venv/test.stamp node_modules/stamp ## Measure training beside fastai, on photos and drawings
	$(BIN)/python -m benchmarks.bench_train

bench-abstain: .venv/test.stamp node_modules/stamp ## Measure how a model tells what is none of its classes
	$(BIN)/python -m benchmarks.bench_abstain

bench-cleaner: .venv/test.stamp node_modules/stamp ## Measure how many flipped labels the cleaner finds
	$(BIN)/python benchmarks/bench_cleaner.py

bench-exports: .venv/run.stamp ## Measure snapshots and exports of 100,000 images beside sha256sum, tar and zip
	$(BIN)/python -m benchmarks.bench_exports

bench-workbench: .venv/test.stamp ## Measure the workbench with 100,000 images: lists, scrolling, snapshots, exports
	@tests/install-browsers
	$(BIN)/python -m benchmarks.bench_workbench

bench-serve: .venv/test.stamp node_modules/stamp ## Measure answers beside fastai, LitServe and the bare pipeline
	$(BIN)/python -m benchmarks.bench_serve

bench-drift: .venv/test.stamp node_modules/stamp ## Measure whether drift is told: the same pictures by another hand
	$(BIN)/python -m benchmarks.bench_drift

bench-evidence: .venv/test.stamp node_modules/stamp ## Measure whether training images shown beside answers are alike
	$(BIN)/python -m benchmarks.bench_evidence

bench-gates: .venv/run.stamp ## Measure how often the gates stop a worse model, and an equal one; a minute
	$(BIN)/python -m benchmarks.bench_gates

clean: ## Remove what was installed here; ./data stays
	rm -rf .venv node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Bowerbird needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip

.venv/run.stamp: pyproject.toml .venv/bin/python
	@echo "Installing Bowerbird; the first time takes some minutes (PyTorch is large) …"
	@$(BIN)/python -m pip install --quiet --editable '.[server,trainer]'
	@touch $@

.venv/test.stamp: .venv/run.stamp
	@$(BIN)/python -m pip install --quiet --editable '.[server,trainer,dev]'
	@touch $@

node_modules/stamp: package.json package-lock.json
	@command -v npm > /dev/null || { echo "Node.js 20 or newer and npm are needed: https://nodejs.org"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@$(MAKE) --no-print-directory extension/vendor/NOTICE
	@touch $@

# What runs models in the browser: of a package, so not in this repository.
extension/vendor/NOTICE: package-lock.json
	@mkdir -p extension/vendor
	@cp node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs extension/vendor
	@cp node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm extension/vendor
	@printf '%s\n' 'ONNX Runtime Web, https://github.com/microsoft/onnxruntime' \
	  'Copyright (c) Microsoft Corporation. MIT License.' > $@
