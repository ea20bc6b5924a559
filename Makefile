# The README's commands. Every target makes .venv itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Compiled once, tests and package begin faster, in each worker and each process that they start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: launch test test-all fuzz check bench docs wheel spark browser clean

launch: $(STAMP)
	$(BIN)/segmenter launch

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile -q -m "not slow"

# What takes longer: many kills, the fuzz, Spark, the wheel, whole stories, the pages in a browser, and all examples of every law.
test-all: spark browser
	SEGMENTER_FUZZ_SECONDS=120 SEGMENTER_FUZZ_SEED=1 SEGMENTER_EXAMPLES=1 $(BIN)/python -m pytest -n auto -q -m "slow or hypothesis"

# make fuzz SECONDS=3600: other cases each time
fuzz: $(STAMP)
	SEGMENTER_FUZZ_SECONDS=$(or $(SECONDS),120) $(BIN)/python -m pytest -q -s tests/test_fuzz.py

check: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m pytest -p no:cacheprovider -o addopts="--import-mode=importlib" -q benchmarks $(BENCH)

# The documents as pages: open site/index.html
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# What engine=spark needs (500 MB), which nothing else does.
spark: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[spark]"

# What drives Debian's Chromium, which is a package of its own (apt-get install chromium).
browser: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group browser

wheel: $(STAMP)
	$(BIN)/python -m build --wheel

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "segmenter needs Python 3.11 to 3.13 (got $$($(PYTHON) --version)); make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[postgres,tune]" --group dev
	touch $@

clean:
	rm -rf $(VENV) dist site outputs .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
