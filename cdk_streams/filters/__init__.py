"""Filters: which records of a stream Lambda passes on to a function.

`matches(pattern, record)` decides as Lambda does, on a pattern in Lambda's own words;
`compile_pattern` is the same in two steps. `Filter` is a pattern as a value, built from conditions:

    Filter.modify(NewImage("status").eq("PAID"), OldImage("status").ne("PAID"))

The builder is loaded on first use; the engine alone is what a simulation needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cdk_streams.filters._engine.pattern import CompiledPattern, compile_pattern, matches

if TYPE_CHECKING:
    from cdk_streams.filters._attributes import EACH, Attribute, Image, Keys, NewImage, OldImage
    from cdk_streams.filters._conditions import Condition
    from cdk_streams.filters._filter import Filter
    from cdk_streams.filters._record_numbers import (
        ApproximateCreationDateTime,
        RecordNumber,
        SizeBytes,
    )

__all__ = [
    "EACH",
    "ApproximateCreationDateTime",
    "Attribute",
    "CompiledPattern",
    "Condition",
    "Filter",
    "Image",
    "Keys",
    "NewImage",
    "OldImage",
    "RecordNumber",
    "SizeBytes",
    "compile_pattern",
    "matches",
]

_MODULE_OF = {
    **dict.fromkeys(("EACH", "Attribute", "Image", "Keys", "NewImage", "OldImage"), "_attributes"),
    **dict.fromkeys(
        ("ApproximateCreationDateTime", "RecordNumber", "SizeBytes"), "_record_numbers"
    ),
    "Condition": "_conditions",
    "Filter": "_filter",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
