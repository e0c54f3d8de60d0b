# `make` lists the targets. Each sets up .venv from the lock when it needs to.
PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := $(VENV)/bin/
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo adopt test faults tutorials browser slurm lint bench lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(VENV)/.complete ## the whole study on the embedded scenes, in minutes
	snakemake --cores $(CORES) --configfile config/demo.yaml

adopt: $(VENV)/.complete ## take over a study that was handed on: make adopt FROM=demo.zip (docs/provenance.md)
	python workflow/scripts/adopt_study.py "$(FROM)" --cores $(CORES)

test: $(VENV)/.complete ## unit tests and one tiny run of the study
	python -m pytest tests -m "not faults and not tutorials and not browser and not slurm" -n 2 --dist loadgroup

faults: $(VENV)/.complete ## what kills, full disks, bad archives and servers do to a run
	python -m pytest tests -m faults

browser: $(VENV)/.complete ## the report in a real browser (on Debian: apt install chromium)
	python -m pytest tests -m browser

tutorials: $(VENV)/.complete ## the commands of docs/tutorials, in full
	python -m pytest tests -m tutorials

slurm: $(VENV)/.complete ## the study on a real SLURM of one node (as root, with Debian's packages of it)
	python -m pytest tests/slurm

lint: $(VENV)/.complete ## style of Python, of the rules and of the workflow
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

bench: $(VENV)/.complete ## measure the speed of every part anew into docs/benchmarks.md (40 minutes)
	for subject in features training pruning dag growth demo; do \
	  PYTHONPATH=workflow/scripts python benchmarks/$$subject.py || exit 1; done

lock: $(VENV)/.complete ## resolve envs/*.in anew into the hashed locks
	python -m pip install --quiet uv
	cd envs && uv pip compile --quiet --upgrade $(LOCK) torch.in --output-file torch.txt
	cd envs && uv pip compile --quiet --upgrade $(LOCK) requirements.in --constraint torch.txt \
	  $$(grep -oE '^[a-z0-9.-]+==' torch.txt | sort -u | sed 's/==//; s/^/--no-emit-package /') --output-file requirements.txt
	python envs/conda.py
LOCK := --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

clean: ## remove the environment, caches and the demo; other data and results stay
	rm -rf $(VENV) .snakemake .pytest_cache .ruff_cache .hypothesis data/demo results/demo

$(VENV)/.complete: envs/torch.txt envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv: install it first (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Setting up $(VENV) (once; a few minutes, about 3 GB, most of it PyTorch)"
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN)pip install --quiet --disable-pip-version-check --require-hashes -r envs/torch.txt -r envs/requirements.txt
	@touch $@
