# Two commands for a fresh machine: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint prove fuzz lock clean

demo: $(READY)
	$(BIN)/centralka demo --check

# Most tests wait for a disk or another process: one run more than there are cores, four at the most.
RUNS := $(shell cores=$$(nproc); echo $$((cores < 3 ? cores + 1 : 4)))
PYTEST := $(BIN)/pytest --numprocesses $(RUNS) --dist worksteal

test: $(READY) lint
	$(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The long counts: the same tests with the full number of examples and rounds.
prove: $(READY)
	CENTRALKA_PROVE=1 $(PYTEST)

# Looks for what breaks the parsers, FUZZ_S seconds each; what it finds is named, and left in a file.
FUZZ := .venv-fuzz
FUZZ_S ?= 60
FUZZED := datagram stream transactions sdp auth uri

fuzz: $(FUZZ)/.ready
	for target in $(FUZZED); do \
		$(FUZZ)/bin/python -m tests.fuzz $$target -max_total_time=$(FUZZ_S) -timeout=10 \
			-artifact_prefix=.fuzz- -print_final_stats=1 || exit 1; \
	done

$(FUZZ)/.ready: requirements-fuzz.lock
	$(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	touch $@

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || sh .ci/install-packages
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Pins every dependency with its hashes; names no index. Wants the tool `uv` on the PATH.
lock:
	uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --output-file requirements.lock
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --output-file requirements-dev.lock
	uv pip compile pyproject.toml --extra fuzz --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --quiet --output-file requirements-fuzz.lock

clean:
	rm -rf $(VENV) $(FUZZ) build dist
