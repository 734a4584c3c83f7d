# The same commands as run.py, by other names, and what only a developer needs.
.PHONY: demo serve test check wheel translations lock

demo serve test check:
	python3 run.py $@

translations:  ## take new strings into the catalogue
	.venv/bin/python tools/translations.py update

wheel:  ## dist/evalsys-*.whl; after `make test` or `make check`, which install the build backend
	.venv/bin/hatchling build -t wheel

LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

lock:  ## anew after a change of the dependencies; add --upgrade to LOCK for newer versions
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock pyproject.toml -o requirements.lock
