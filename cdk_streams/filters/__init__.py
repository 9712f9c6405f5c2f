"""Filters: which records of a stream Lambda passes on to a function.

`matches(pattern, record)` decides as Lambda does, for a raw event pattern;
`compile_pattern` is the same in two steps. `Filter` is a pattern as a value, built from conditions:

    Filter.modify(NewImage("status").eq("PAID"), OldImage("status").ne("PAID"))

The builder is loaded on first use; the engine alone is what a simulation needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names
from cdk_streams.filters._engine.pattern import CompiledPattern, compile_pattern, matches

if TYPE_CHECKING:
    from cdk_streams.filters._attributes import EACH, Attribute, Image, Keys, NewImage, OldImage
    from cdk_streams.filters._conditions import Condition
    from cdk_streams.filters._filter import Filter, missing_image
    from cdk_streams.filters._ineffective_conditions import (
        IneffectiveCondition,
        IneffectiveKind,
        find_ineffective_conditions,
    )
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
    "IneffectiveCondition",
    "IneffectiveKind",
    "Keys",
    "NewImage",
    "OldImage",
    "RecordNumber",
    "SizeBytes",
    "compile_pattern",
    "find_ineffective_conditions",
    "matches",
    "missing_image",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.filters._attributes": "EACH Attribute Image Keys NewImage OldImage",
            "cdk_streams.filters._conditions": "Condition",
            "cdk_streams.filters._filter": "Filter missing_image",
            "cdk_streams.filters._ineffective_conditions": (
                "IneffectiveKind IneffectiveCondition find_ineffective_conditions"
            ),
            "cdk_streams.filters._record_numbers": (
                "ApproximateCreationDateTime RecordNumber SizeBytes"
            ),
        },
    )
