PYTHON ?= python3
VENV := .venv
COPYDESK := $(VENV)/bin/copydesk
# `make run` alone does the main job on our samples and on your own inbox.
ARGS ?= --inbox seeds --inbox inbox

N ?= 200
SEED ?= 1
BROKEN ?=
SCENES ?= 1
FILES ?= 0

.PHONY: run test browser check disk walk connect faults bench fuzz secrets lock clean

run: $(VENV)/ready
	@mkdir -p inbox
	@exec $(COPYDESK) run $(ARGS)

test: check
	@.ci/prometheus $(VENV)/prometheus
	@.ci/test $(VENV)/bin/python

# The live page in headless Chromium, which has to be there (Debian: apt-get install chromium).
browser: $(VENV)/ready
	$(VENV)/bin/python -m pytest -q tests/browser

# A stranger's walk with pictures, six minutes: run, drop files, kill a worker, see the alert fire in a real Prometheus.
walk: $(VENV)/ready
	@.ci/prometheus $(VENV)/prometheus pages
	$(VENV)/bin/python -m tests.browser.walk build/walk

# The examples of docker/connect, run by Kafka Connect (15 MB from Maven Central, once).
connect: $(VENV)/ready
	$(VENV)/bin/python -m pytest -q tests/connect

check: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# Kill N processes of every kind at random moments under load, then judge; BROKEN=1 does it to a sink that loses.
# SCENES of them go on side by side; FILES=100000 adds a scene of so many small files at once.
faults: $(VENV)/ready
	$(VENV)/bin/python -m tests.faults $(N) --seed $(SEED) --scenes $(SCENES) --files $(FILES) $(if $(BROKEN),--broken)

# `copydesk run` on a disk that fills up, and the watcher on one that fails; a minute or three, as Kafka likes.
disk: $(VENV)/ready
	$(VENV)/bin/python -m pytest -q tests/faults -k "full_disk or failing_disk"

bench: $(VENV)/ready
	$(COPYDESK) bench

# Every parser, splitter and packing for SECONDS each with atheris; TARGETS="csv zip" takes those alone.
SECONDS ?= 30
TARGETS ?=
fuzz: $(VENV)/ready
	@$(VENV)/bin/python -c 'import atheris' 2>/dev/null || $(VENV)/bin/python -m pip install --disable-pip-version-check --quiet 'atheris>=3.0,<4' \
		|| { echo "atheris cannot be installed for $$($(VENV)/bin/python -V) on $$(uname -sm): NOTHING WAS FUZZED" >&2; exit 1; }
	@$(VENV)/bin/python -W ignore -m tests.fuzz $(SECONDS) $(TARGETS)

$(VENV)/ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) from requirements.lock (once, about a minute) …"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar on --no-deps --require-hashes -r requirements.lock
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What docker/docker-compose.sasl.yml needs: certificates and passwords, once.
secrets: $(VENV)/ready
	@$(VENV)/bin/python docker/make_secrets.py secrets

# Resolve anew from pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	echo 'setuptools>=80' | uv pip compile pyproject.toml - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements.lock -o docker/requirements.lock

clean:
	rm -rf $(VENV) .copydesk build *.egg-info
