"""The subscriber's function."""
