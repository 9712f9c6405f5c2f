"""Writes to tables that a retry or a duplicate cannot undo."""
