"""What the checks know of an app, read from its construct tree, and the warnings that follow."""
