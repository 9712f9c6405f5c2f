"""The mappings of a stack's last template, beside those that take their place now.

The template is the one that the last synthesis left in the output folder, or in the folder that the
context `cdk-streams:last-assembly` names: a build server has no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cdk_streams.arns import Arn, is_service
from cdk_streams.checks import LastMapping

__all__ = ["last_mappings", "last_resources"]

_MAPPING: Final = "AWS::Lambda::EventSourceMapping"


def last_resources(template: Path | None) -> dict[str, Any]:
    """Return the resources of a template by logical id; none where there is no template."""
    if template is None or not template.is_file():
        return {}
    resources = json.loads(template.read_text(encoding="utf-8")).get("Resources")
    return resources if isinstance(resources, dict) else {}


def last_mappings(
    last: Mapping[str, Any], logical_id: str, properties: Mapping[str, Any], kept: frozenset[str]
) -> Iterator[LastMapping]:
    """Yield the mappings of the last template that one of today takes the place of.

    That is the one of the same logical id, and each of the same stream and function that is not
    among the `kept`, the logical ids of today. `properties` are today's as a template writes them.
    """
    for name, resource in last.items():
        if resource.get("Type") != _MAPPING:
            continue
        before = resource.get("Properties", {})
        has_same_stream = _named(before.get("EventSourceArn")) == _named(
            properties.get("EventSourceArn")
        )
        has_same_function = _named(before.get("FunctionName")) == _named(
            properties.get("FunctionName")
        )
        if name == logical_id or (has_same_stream and has_same_function and name not in kept):
            yield LastMapping(
                name=name,
                is_same=name == logical_id,
                has_same_stream=has_same_stream,
                has_same_function=has_same_function,
                starting_position=str(before.get("StartingPosition")),
            )


def _named(reference: Any) -> str:
    """Return what a reference names: CDK names a function by its ARN here, by its name there."""
    if isinstance(reference, Mapping) and len(reference) == 1:
        ((how, what),) = reference.items()
        if how == "Ref":
            return str(what)
        if how == "Fn::GetAtt":
            return str(what[0] if isinstance(what, list) else str(what).partition(".")[0])
    if is_service(reference, "lambda"):
        parts = Arn.parse(reference)
        return f"{parts.name}:{parts.qualifier}".rstrip(":")
    return reference if isinstance(reference, str) else json.dumps(reference, sort_keys=True)
