"""The scoring core: pure functions over NumPy arrays; no database, no web, no files."""
