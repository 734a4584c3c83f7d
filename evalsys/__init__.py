"""Three-party evaluation of purchased public services."""

__version__ = "0.1.0"
