"""A custom resource that finds the stream of a table when a stack is deployed."""
