# `make` lists the targets. Each sets up .venv from the lock when it needs to.
PYTHON ?= python3
CORES ?= all
# native: on a processor without AVX2, such as Apple's (docs/background/same-bits.md)
ARITHMETIC ?= portable
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help environment demo adopt test faults tutorials browser slurm lint bench docs lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: environment ## the whole study on the embedded scenes, in minutes
	snakemake --cores $(CORES) --configfile config/demo.yaml --config arithmetic=$(ARITHMETIC)

adopt: environment ## take over a study that was handed on: make adopt FROM=demo.zip (docs/how-to/hand-on.md)
	python workflow/scripts/adopt_study.py "$(FROM)" --cores $(CORES)

test: environment ## unit tests, and real runs of a tiny study
	python -m pytest tests -m "not faults and not tutorials and not browser and not slurm" -n 2 --dist worksteal

faults: environment ## what kills, full disks, bad archives and servers do to a run
	python -m pytest tests -m faults -n 2 --dist worksteal

browser: environment ## the report in a real browser (on Debian: apt install chromium)
	python -m pytest tests -m browser

tutorials: environment ## the commands of docs/tutorials, in full
	python -m pytest tests -m tutorials

slurm: environment ## the study on a real SLURM of one node (as root, with Debian's packages of it)
	python -m pytest tests/slurm

lint: environment ## style of Python, of the rules and of the workflow
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

docs: ## the pages as a static site with search, in site/html
	@$(PYTHON) envs/set_up.py --lock docs.txt $(VENV)-docs
	$(VENV)-docs/bin/python docs/build_site.py

bench: environment ## measure the speed of every part anew into docs/reference/benchmarks.md (40 minutes)
	for subject in features training pruning dag starts growth demo; do \
	  PYTHONPATH=workflow/scripts python benchmarks/$$subject.py || exit 1; done

lock: environment ## resolve envs/*.in anew into the hashed locks
	python -m pip install --quiet uv
	cd envs && uv pip compile --quiet --upgrade $(LOCK) torch.in --output-file torch.txt
	cd envs && uv pip compile --quiet --upgrade $(LOCK) requirements.in --constraint torch.txt \
	  $$(grep -oE '^[a-z0-9.-]+==' torch.txt | sort -u | sed 's/==//; s/^/--no-emit-package /') --output-file requirements.txt
	cd envs && uv pip compile --quiet --upgrade $(LOCK) docs.in --output-file docs.txt
	python envs/conda.py
LOCK := --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

clean: ## remove the environments, caches, the site and the demo; other data and results stay
	$(PYTHON) envs/set_up.py --remove $(VENV)
	$(PYTHON) envs/set_up.py --remove $(VENV)-docs
	rm -rf .snakemake .pytest_cache .ruff_cache .hypothesis site data/demo results/demo

environment: ## the environment of the lock, in .venv (every other target sees to it)
	@$(PYTHON) envs/set_up.py $(VENV)
