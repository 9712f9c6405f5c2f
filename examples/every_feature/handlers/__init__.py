"""The functions that run in Lambda."""
