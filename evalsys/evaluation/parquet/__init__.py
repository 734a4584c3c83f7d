"""Step 0 of very large files: DuckDB adds up what is in Parquet, without ever holding it."""
