"""The bundle of an edition: what anybody needs to recompute it, in files that any program reads."""
