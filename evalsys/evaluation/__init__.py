"""From ratings to scores: rows become arrays, the scoring core runs, the result is stored with all it came from."""
