# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# One thread per process: idle OpenMP threads that spin make everything else several times slower.
export OMP_NUM_THREADS ?= 1
export SDL_VIDEODRIVER ?= dummy

.PHONY: run test test-slow lint types docs notebook tables tables-check bench bench-data mutants clean
.DEFAULT_GOAL := run

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

run: $(VENV)/installed  ## install, run the shuffle suite with the bundled agents, print the table
	$(BIN)/symbench run --suite shuffle

test: $(VENV)/installed-dev  ## install what tests need and run them, without those of many seconds
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow"

PART ?= 1/1
test-slow: $(VENV)/installed-dev  ## the tests that take many seconds each; PART=2/5: the second of five parts
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m slow \
	  --splitting-algorithm least_duration --group $(patsubst %/,%,$(dir $(PART))) --splits $(notdir $(PART))

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy
	cd docs/tables && $(abspath $(BIN))/mypy --config-file ../../pyproject.toml make_tables.py
	cd docs/hooks && $(abspath $(BIN))/mypy --config-file ../../pyproject.toml *.py

docs: $(VENV)/installed-docs  ## the documentation site, into site/; nothing is loaded from elsewhere, and it needs no server
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

notebook: $(VENV)/installed-docs  ## run the notebook of first steps again and keep what it prints
	$(BIN)/python docs/hooks/run_notebook.py

tables: $(VENV)/installed-dev  ## make the tables of README and docs again from their data
	$(BIN)/python docs/tables/make_tables.py

tables-check: $(VENV)/installed-dev  ## say which tables are not what their data say
	$(BIN)/python docs/tables/make_tables.py --check

bench: $(VENV)/installed-dev  ## measured ratios against the named peers
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-columns=min,median,rounds --benchmark-sort=name

bench-data: $(VENV)/installed-dev  ## the same three times into docs/data/benchmarks.csv, of which the tables of speed are made: on an idle machine
	rm -f docs/data/benchmarks.csv
	for run in 1 2 3; do $(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-quiet \
	  --measured docs/data/benchmarks.csv || exit 1; done

SAMPLE ?= 400
mutants: $(VENV)/installed-dev  ## small faults put in on purpose: how many of a sample do the tests notice?
	$(BIN)/pip install --quiet --editable '.[mutants]'
	$(BIN)/python tests/mutants.py --sample $(SAMPLE)

clean:
	rm -rf $(VENV) build dist site *.egg-info
