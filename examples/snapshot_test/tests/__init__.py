"""The test of the template."""
