"""What stands inside a mapping's properties, and what a stream's mapping must have.

CloudFormation refuses a name that it does not know. A misnamed `Filters` would otherwise let every
record through. The properties themselves and their values are checked by `MappingSettings`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

__all__ = ["shape_faults"]

# A list's items are named by `[]`.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "DestinationConfig": ("OnFailure", "OnSuccess"),
    # `Type` is SAM's.
    "DestinationConfig.OnFailure": ("Destination", "Type"),
    "FilterCriteria": ("Filters",),
    "FilterCriteria.Filters[]": ("Pattern",),
    "MetricsConfig": ("Metrics",),
    "Tags[]": ("Key", "Value"),
}


def shape_faults(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each unknown name and for a missing `StartingPosition`.

    `properties` are resolved, without what names the stream and the function.
    """
    faults = [
        fault for name, value in properties.items() for fault in _unknown_names(value, name, name)
    ]
    if properties.get("StartingPosition") is None:
        faults.append(
            "StartingPosition must be TRIM_HORIZON or LATEST, got none; a stream's mapping needs it"
        )
    return tuple(faults)


def _unknown_names(value: Any, kind: str, place: str) -> Iterator[str]:
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _unknown_names(each, f"{kind}[]", f"{place}[{at}]")
    elif isinstance(value, Mapping) and kind in _NAMES:
        for name, each in value.items():
            if name in _NAMES[kind]:
                yield from _unknown_names(each, f"{kind}.{name}", f"{place}.{name}")
            else:
                near = get_close_matches(str(name), _NAMES[kind], n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else "remove it"
                yield f"{place}.{name} is no property of AWS::Lambda::EventSourceMapping; {hint}"
