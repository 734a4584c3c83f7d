"""Scripts that measure; each says in its docstring what it compares."""
