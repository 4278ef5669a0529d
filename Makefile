# Every target is also `python3 dev/setup.py TARGET`, which works without make. ARGS are passed on.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: run test lint types bench flask lock setup clean help

run test lint types bench flask lock setup clean help:
	@$(PYTHON) dev/setup.py $@ $(ARGS)
