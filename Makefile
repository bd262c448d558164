# The two commands: `make book` and `make test`. Everything else is in `make help`. Where there is no make: see README.

PYTHON ?= python3
SET ?= dejavu noto liberation
ifeq ($(OS),Windows_NT)
PY := .venv/Scripts/python.exe
else
PY := .venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: book test nbval colab fonts full record check check-slow refresh serve dist new env help

book: env        ## build the site: environment, chapters by papermill, gate, pages; says where index.html is
	@$(PY) -m companion build

test: book       ## the tests: package, nbval on what the book executed, gates, the site in a real browser
	@$(PY) -m pytest -n auto --dist loadfile -m "not colab and not thorough" --nbval --nbval-current-env --executed _build/executed/quick tests book

nbval: env       ## nbval over every chapter, each executed once more in a kernel of its own (CI does it too)
	@$(PY) -m pytest -n auto --dist loadfile --nbval --nbval-current-env book

colab: env       ## every chapter in an empty folder and an environment like Colab's (some minutes; CI does it too)
	@$(PY) -m pytest -n auto --dist loadfile -m colab tests

fonts: book      ## the layout and the PDF again, under other fonts of the machine: make fonts SET="dejavu noto"
	@for set in $(SET); do $(PY) -m pytest -n auto --dist loadfile -m fonts --machine-fonts $$set tests || exit 1; done

check: env       ## the fast part of the tests while writing: lint, package, pairs, gate
	@$(PY) -m companion check

check-slow: env  ## kills, fuzzed inputs and the like in full numbers, an hour or two; what has passed is not run again
	@$(PY) tools/check_slow.py

refresh: env     ## write the outputs of the committed notebooks that are stale
	@$(PY) -m companion refresh

record: env      ## the full profile of a chapter on real data, with records: make record CH=dropout
	@$(PY) -m companion record $(CH)

full: env        ## the full profile of every chapter, with records, then the site
	@$(PY) -m companion record all
	@$(PY) -m companion build

new: env         ## a new chapter's files: make new CH=gap-head (DATA=table TASK=regression for other kinds than planned)
	@$(PY) -m companion new $(CH) $(if $(DATA),--data $(DATA)) $(if $(TASK),--task $(TASK))

serve: book      ## the built site on http://localhost:8000
	@$(PY) -m http.server 8000 --bind 127.0.0.1 --directory _build/html

dist: book       ## to carry away: the site as a zip that works offline, the whole book as a PDF; in _build/dist/
	@$(PY) -m companion dist

env:
	@$(PYTHON) tools/bootstrap.py

help:            ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile
