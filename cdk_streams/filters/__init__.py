"""Filter patterns: whether a record matches one, and what Lambda would refuse.

`matches(pattern, record)` decides as Lambda does; `compile_pattern` is the same in two steps.
"""

from __future__ import annotations

from cdk_streams.filters.engine import CompiledPattern, compile_pattern, matches

__all__ = ["CompiledPattern", "compile_pattern", "matches"]
