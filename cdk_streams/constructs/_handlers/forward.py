"""The handler of a `StreamForwarder`'s function."""

from __future__ import annotations

from lambda_runtime.forward import handler

__all__ = ["handler"]
