"""A handler with a file of its own beside it."""
