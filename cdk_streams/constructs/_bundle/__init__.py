"""The code of a function: its files, the runtime beside them, packages for its platform."""
