"""The API: what was published, and what oversees a branch, for programs."""
