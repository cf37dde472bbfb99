# Porchlight. `make run` and `make test` do all of their own set-up; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BOOT := python3
UV := .cache/uv/bin/uv
PY := .venv/bin/python
STAMPS := .cache/stamps
export UV_LINK_MODE ?= copy

.PHONY: help setup run chat call test check bench train tune encoder browser guard models clean

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMPS)/services $(STAMPS)/core $(STAMPS)/speech ## Install what is needed, here and nowhere else

run: setup ## Start everything and print its address; Ctrl-C stops it
	@$(PY) -m bot.cli run

chat: setup ## Talk to the running assistant in the terminal (PHONE=+12075550101 to be a demo customer)
	@$(PY) -m bot.cli chat --phone "$(PHONE)"

call: setup ## Call the running assistant: SAY="my power is out|+1.5 wait|keys:0" or FILE=speech.wav, PHONE=+12075550101
	@$(PY) -m bot.cli call --phone "$(PHONE)" --say "$(SAY)" --file "$(FILE)"

train: setup ## Train the assistant if data/ or its pipeline changed
	@$(PY) -m bot.cli train

test: setup browser check train ## Everything: checks, unit, contract, service, conversation and browser tests
	@bot/core/.venv/bin/python -m pytest -q -c tests/core/pytest.ini tests/core
	@$(PY) -m pytest

check: setup ## Format, lint, types, walls
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench: setup train ## Measure understanding, turns and look-ups; writes docs/bench (hours the first time: trains stock Rasa too)
	@$(PY) -m bench --write

tune: setup ## Choose the classifier's thresholds on the development set
	@bot/core/.venv/bin/python -m bot.core.tune

guard: setup ## Make the weights of the emergency guard's second opinion
	@bot/core/.venv/bin/python models/guard/train.py
	@echo "What these limits give on the tuning set; write them into bot/safety/weigh.py"
	@$(PY) -W ignore -m bot.safety.weigh
	@bot/core/.venv/bin/python models/guard/train.py --all

encoder: $(STAMPS)/encoder ## Fine-tune the sentence encoder on data/ (about 15 minutes; then `make tune`)
	@.cache/encoder/bin/python models/encoder/recipe/train.py --data data --out models/encoder

models: $(STAMPS)/services ## Fetch the speech models that are missing or not whole
	@$(PY) -m voice.speech.fetch

browser: ## Find or install the browser of the browser tests
	@bash tests/browser/install.sh

clean: ## Remove everything that was installed, trained or run here
	rm -rf .cache .venv bot/core/.venv .run models/assistant models/speech/*/ bench/stock/.venv .mypy_cache .ruff_cache .pytest_cache .rasa

$(UV):
	@echo "Installing uv"
	@$(BOOT) -m venv .cache/uv
	@.cache/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(STAMPS)/services: pyproject.toml uv.lock | $(UV)
	@echo "Installing the services' environment"
	@$(UV) sync --frozen --compile-bytecode --quiet
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: bot/core/pyproject.toml bot/core/uv.lock | $(UV)
	@echo "Installing Rasa's environment (Python 3.10; uv fetches one where there is none)"
	@cd bot/core && ../../$(UV) sync --frozen --compile-bytecode --quiet
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/speech: models/speech/manifest.yml | $(STAMPS)/services
	@echo "Fetching the speech models"
	@$(PY) -m voice.speech.fetch
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/encoder: models/encoder/recipe/requirements.txt
	@echo "Installing PyTorch for the recipe"
	@$(BOOT) -m venv .cache/encoder
	@.cache/encoder/bin/pip install --quiet -r models/encoder/recipe/requirements.txt
	@mkdir -p $(STAMPS) && touch $@
