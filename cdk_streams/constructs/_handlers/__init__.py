"""Handlers that ship with constructs: copied beside `lambda_runtime`, not imported here."""
