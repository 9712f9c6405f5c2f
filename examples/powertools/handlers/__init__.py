"""The handler, and the packages that ship with it."""
