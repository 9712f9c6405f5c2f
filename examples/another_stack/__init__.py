"""A table in one stack, its consumer in another."""
