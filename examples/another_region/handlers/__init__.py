"""The handler."""
