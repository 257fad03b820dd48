# Everything Kasuki does from a fresh clone. It needs a shell, git, make and some Python 3; `make` lists the targets.

PY := .venv/bin/python
STAMP := .venv/.installed
MODEL := models/kasuki.tar.gz
# The folders are inputs too: a deleted file changes its folder's time. Knowledge is read while serving, never learned.
MODEL_INPUTS := domain.yml config.yml $(shell find data -path data/knowledge -prune -o -print 2>/dev/null) $(shell find bot/nlu -name '*.py' 2>/dev/null)

# Each process that runs tests has a database server and a model of its own: more than four take more memory than time.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL ?= 2
export SQLALCHEMY_SILENCE_UBER_WARNING ?= 1

# $(call default,NAME,VALUE): a setting that neither the environment nor .env has.
default = { grep -Eqs '^ *(export +)?$(1) *=' .env || : "$${$(1)=$(2)}"; }

.PHONY: help run test explore train lint bench env migrate lock clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(MODEL) ## start the demo shop: environment, model, database and demo data as needed, then serve
	@$(call default,DEMO,1); $(call default,DESK_HOURS,always); export DEMO DESK_HOURS; exec $(PY) -m bot serve

test: $(MODEL) ## run the whole test suite; ARGS="-k orders" for a part of it, ARGS="-n 0" for one core only
	@$(PY) -m pytest $(PARALLEL) $(ARGS)

explore: $(STAMP) ## look for faults with thousands of random examples on each database; takes an hour or so
	@LEDGER_EXAMPLES=2000 HANDOFF_EXAMPLES=2000 PUNCH_CARD_EXAMPLES=500 $(PY) -m pytest $(PARALLEL) \
		--hypothesis-profile=explore --timeout=14400 tests/core tests/services/test_*_properties.py \
		tests/services/test_handoff_model.py $(ARGS)

train: $(MODEL) ## train the model, if its data changed
	@echo "The model in $(MODEL) is up to date."

lint: $(STAMP) ## check style and types with ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(MODEL) ## run the understanding, latency and crash benchmarks; more of them: .venv/bin/python -m bench
	$(PY) -m bench.understanding --eval tests/nlu/held_out.tsv --typos
	$(PY) -m bench.latency --stories
	$(PY) -m bench.crash

env: $(STAMP) ## make .venv with the locked packages

migrate: $(STAMP) ## bring the database to the newest schema
	@$(PY) -m bot migrate

lock: ## resolve requirements.in into requirements.txt, with hashes
	@uv=$$(sh tools/find_uv.sh --install) || { echo "make lock needs uv, which could not be installed." >&2; exit 1; }; \
	"$$uv" pip compile --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.10 \
		--override overrides.txt --output-file requirements.txt requirements.in

clean: ## delete the trained model and caches; the data in var/ and .venv stay
	rm -rf models .rasa .pytest_cache .mypy_cache .ruff_cache .hypothesis results
	find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.uv/*' -prune -exec rm -rf {} +

# Always asked, and cheap: the file changes only when the packages do, so what depends on it stays fresh.
$(STAMP): FORCE
	@sh tools/make_env.sh

$(MODEL): $(STAMP) $(MODEL_INPUTS)
	@mkdir -p models var
	@echo "Training the model: two to three minutes, once (details in var/train.log) ..."
	@$(PY) -m rasa train --fixed-model-name kasuki --out models >var/train.log 2>&1 </dev/null || { \
		tail -n 40 var/train.log >&2; \
		echo "Training failed: the end of var/train.log is above." >&2; exit 1; }
	@touch $@
