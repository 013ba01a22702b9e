.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# Who says which Python wants that one, and not what .venv was made with before.
ASKED := $(if $(filter file,$(origin PYTHON)),,$(shell $(PYTHON) -c 'import sys; print("-%d.%d" % sys.version_info[:2])'))
READY := $(VENV)/.ready$(ASKED)

.PHONY: help setup demo test test-pythons check format docs dashboards dashboards-check lock audit sbom wheel peers bench faults soak soak-sim clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: $(READY) ## Create .venv with every package of the lock (PYTHON=python3.12)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "pop-stream needs Python 3.11 to 3.13; say which with: make setup PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(if $(ASKED),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.ready

demo: setup ## Run the whole system here and account for every event (ARGS="--events 3000 --json")
	$(BIN)/pop-stream demo $(ARGS)

# The tests of a file share what it builds. Three at once, for those of the whole system wait most
# of the time, and two of them leave a machine of two cores half idle. They begin in the order that
# tests/conftest.py gives them.
THREE_AT_ONCE = --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: setup ## Run all tests, those on a real Kafka included
	$(BIN)/python -m pytest $(THREE_AT_ONCE) $(ARGS)

PYTHONS := 3.11 3.12 3.13

# Those that pyenv has stand behind shims, which say no unless they are told who may be asked for.
FIND = $(BIN)/uv python find --no-project
test-pythons: setup ## Run the tests on each Python, in a .venv of its own (PYTHONS="3.12 3.13", ARGS=tests/unit)
	@export PYENV_VERSION="$$(pyenv versions --bare 2> /dev/null | paste -sd:)"; \
	for version in $(PYTHONS); do \
	  python="$$($(FIND) "$$version" 2> /dev/null)" \
	    || { $(BIN)/uv python install "$$version" && python="$$($(FIND) "$$version")"; } || exit; \
	  $(MAKE) test PYTHON="$$python" VENV="$(VENV)-$$version" || exit; \
	done

check: setup ## Format, lint, types, import rules, pages made from the code, instructions an event
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m reference --check
	$(BIN)/python -m bench.instructions --check

format: setup ## Put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dashboards: setup ## Write grafana/dashboards (ARGS="--runbooks https://...")
	$(BIN)/python -m grafana $(ARGS)

docs: setup ## Write the pages of docs that are made from the code
	$(BIN)/python -m reference

PEERS := .venv-peers
JAVA_PEER := bench/peers/parallel_consumer

peers: $(PEERS)/.ready $(JAVA_PEER)/target/.ready ## Build the systems that bench compares with

$(PEERS)/.ready: bench/peers/requirements.lock | setup
	@echo "making $(PEERS) for the peers in Python" >&2
	$(BIN)/python -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

# Without Java, or without its packages, the bench leaves this one out, and says so.
$(JAVA_PEER)/target/.ready: $(JAVA_PEER)/pom.xml $(wildcard $(JAVA_PEER)/src/main/java/bench/*.java)
	@if ! { command -v javac && command -v mvn; } > /dev/null; then \
	  echo "no javac or no mvn: the peer in Java is not built" >&2; \
	else \
	  echo "building the peer in Java with Maven" >&2; rm -rf $(@D); \
	  if mvn --batch-mode --quiet -Dstyle.color=never --file $< compile >&2; then touch $@; \
	  else echo "the peer in Java could not be built" >&2; fi; \
	fi

# `partner` and `player` measure none of the peers.
bench: setup $(if $(filter partner player,$(SCENARIO)),,peers) ## Measure what an event costs, beside others (SCENARIO=a to j, partner or player, ARGS="--rounds 1")
	$(BIN)/python -m bench $(if $(SCENARIO),--scenario $(SCENARIO)) $(ARGS)

faults: setup ## Play faults on a real cluster, and judge what came of them (SCENARIO=leader-killed, CONTROL=all)
	$(BIN)/python -m faults $(if $(SCENARIO),--scenario $(SCENARIO)) \
	  $(if $(CONTROL),--control $(CONTROL)) $(ARGS)

soak: setup ## Play drawn faults for an hour, and report (ARGS="--minutes 10 --seed 7")
	$(BIN)/python -m faults.soak $(ARGS)

soak-sim: setup ## Run ten million schedules of the simulated core (SCHEDULES=100000)
	$(BIN)/python -m tests.simulation --schedules $(or $(SCHEDULES),10000000) $(ARGS)

dashboards-check: setup ## Let everything happen beside a real Prometheus; each panel and alert must show it
	$(BIN)/python -m drill $(ARGS)

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
  --python-version 3.11 --custom-compile-command "make lock"

lock: setup ## Renew requirements.lock, those of the image, and that of the peers
	$(LOCK) --all-extras --group dev -o requirements.lock pyproject.toml
	$(LOCK) --extra otel --constraint requirements.lock -o docker/requirements.lock pyproject.toml
	$(LOCK) --constraint <(grep -oE '^(aiohttp|aiokafka|uvloop)==[^ ]+' requirements.lock) \
	  -o bench/peers/requirements.lock bench/peers/requirements.in
	echo hatchling | $(LOCK) --constraint requirements.lock -o docker/build.lock -

audit: setup ## Ask whether anything locked has a known hole; fails where nobody can be asked (ARGS="--osv-url https://...")
	$(BIN)/python -m release.audit $(ARGS)

sbom: setup ## Write dist/pop-stream.cdx.json: every part of a release, as CycloneDX
	@mkdir -p dist
	$(BIN)/python -m release.sbom > dist/pop-stream.cdx.json || { rm dist/pop-stream.cdx.json; exit 1; }

wheel: setup ## Build dist/*.whl and dist/*.tar.gz: the same bytes wherever it is done
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m build --no-isolation --outdir dist
	cd dist && sha256sum -- *.whl *.tar.gz

clean: ## Remove what was built
	rm -rf $(VENV) $(foreach version,$(PYTHONS),$(VENV)-$(version)) $(PEERS) $(JAVA_PEER)/target build dist
