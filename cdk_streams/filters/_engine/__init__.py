"""Matching: a pattern as the engine behind Lambda reads it, and whether a record fits."""
