"""The handlers, one file for each function."""
