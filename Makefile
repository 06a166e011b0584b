# make run     the exporter on the embedded demo, no other server needed
# make test    real Prometheus 2.42 and 3.x and Alertmanager, and the tests
# make help    the rest
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
READY_DEV := .venv/ready-dev
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
TEST = $(BIN)/python -m pytest -n 2 --dist worksteal
PROMTOOL3 := .tools/prometheus3/usr/bin/promtool
AMTOOL := .tools/alertmanager/usr/bin/amtool

EXAMPLES = "--config.file examples/prometheus/pte-exporter.yml --output examples/prometheus" \
  "--spec examples/slos --output examples/slos"

LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
  --generate-hashes --python-version 3.11 pyproject.toml deploy/build.in

.PHONY: help ready ready-dev run test test-slow test-container lint bench stack generate tools lock clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; deploy/venv.sh "$(PYTHON)"; }
	@echo "setting up .venv from requirements.lock" >&2
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	@echo "adding what tests need from requirements-dev.lock" >&2
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# Those who start together, such as `make run` and `make test`, set up one after the other.
ready:
	@flock Makefile $(MAKE) -s $(READY)

ready-dev:
	@flock Makefile $(MAKE) -s $(READY_DEV)

run: ready ## start the exporter on the embedded demo
	@$(BIN)/pte-exporter serve

tools: ## the servers that tests and stack need (Debian packages, and newer ones in .tools/)
	@flock deploy/tools.sh deploy/tools.sh

# Beside a running stack too. The last line of each says how long it took.
test: ready-dev tools ## the tests, on real servers: eleven minutes on two cores
	@$(TEST) -m "not slow and not container"

test-slow: ready-dev tools ## the rest: days of alerts in simulated time, older servers once more, the tutorial; eight minutes
	@$(TEST) -m "slow and not container"

# Docker or Podman, by DOCKER_HOST or its usual socket. Without one, nothing is run, and that is a failure.
test-container: ready-dev ## build our image and test it in containers (PYTHON_IMAGE=NAME for another base image)
	@$(BIN)/python -m pytest -m container tests/integration

lint: ready-dev tools ## ruff, mypy --strict, codespell, promtool, amtool, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/codespell
	@for promtool in /usr/bin/promtool $(PROMTOOL3); do $$promtool check rules --lint=all --lint-fatal rules/*.rules.yml >/dev/null || exit 1; done
	@for amtool in /usr/bin/amtool $(AMTOOL); do $$amtool check-config alertmanager/alertmanager.yml >/dev/null || exit 1; done
	@$(BIN)/pte-exporter generate rules --config.file deploy/stack/exporter.yml --check
	@for example in $(EXAMPLES); do $(BIN)/pte-exporter generate rules $$example --check || exit 1; done
	@for kind in dashboards docs; do $(BIN)/pte-exporter generate $$kind --check || exit 1; done

generate: ready ## write the generated rules, dashboards and docs
	@$(BIN)/pte-exporter generate rules --config.file deploy/stack/exporter.yml
	@for example in $(EXAMPLES); do $(BIN)/pte-exporter generate rules $$example || exit 1; done
	@for kind in dashboards docs; do $(BIN)/pte-exporter generate $$kind || exit 1; done

stack: ready tools ## the same job on real servers on this machine
	@$(BIN)/python -m deploy.stack

bench: ready-dev tools ## speed and size, side by side in one run
	@$(BIN)/python -m benchmarks

lock: ready ## pin the dependencies anew
	@$(INSTALL) uv
	@$(LOCK) -o requirements.lock
	@$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove everything that make has set up
	@rm -rf .venv .tools .cache .run
