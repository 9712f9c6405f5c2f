"""From a change to the functions that handle it."""
