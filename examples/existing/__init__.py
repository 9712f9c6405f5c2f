"""A consumer of a table, a function and a queue that exist already, each imported."""
