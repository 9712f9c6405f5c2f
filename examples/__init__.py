"""Stacks to copy from; each is synthesized, linted and deployed by the test suite."""
