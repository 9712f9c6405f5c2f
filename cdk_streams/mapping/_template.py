"""The settings as a template and the Lambda API spell them, written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cdk_streams.mapping.limits import FLAGS, LENGTHS, NOT_FOR_DYNAMODB, NUMBERS

if TYPE_CHECKING:
    from cdk_streams.mapping._settings import MappingSettings

PARTIAL_RESPONSE = "ReportBatchItemFailures"


def render(settings: MappingSettings) -> dict[str, Any]:
    """Return the properties of the settings, those at Lambda's default left out."""
    default = {each.name: each.default for each in fields(settings)}
    properties: dict[str, Any] = {
        "StartingPosition": settings.starting_position,
        "BatchSize": settings.batch_size,
    }
    for name, prop in [(row.name, row.prop) for row in NUMBERS] + list(FLAGS):
        if (value := getattr(settings, name)) != default[name]:
            properties[prop] = value
    for length in LENGTHS:
        if value := getattr(settings, length.name):
            properties[length.prop] = int(value.total_seconds())
    others = {
        "FunctionResponseTypes": settings.report_batch_item_failures and [PARTIAL_RESPONSE],
        "FilterCriteria": settings.filters
        and {"Filters": [{"Pattern": text} for text in settings.filters]},
        "KmsKeyArn": settings.filter_encryption_key,
        "DestinationConfig": settings.on_failure
        and {"OnFailure": {"Destination": settings.on_failure}},
        "MetricsConfig": settings.metrics and {"Metrics": list(settings.metrics)},
        "Tags": [{"Key": key, "Value": value} for key, value in settings.tags],
    }
    return properties | {prop: value for prop, value in others.items() if value}


def read(properties: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return the keyword arguments of `MappingSettings` that the properties spell."""
    faults += [
        f"{name} is for {whose}, not for a DynamoDB stream; remove it"
        for name, whose in NOT_FOR_DYNAMODB.items()
        if properties.get(name)
    ]
    rows = [(row.name, row.prop) for row in (*NUMBERS, *LENGTHS)] + list(FLAGS)
    values = {name: _plain(properties[prop]) for name, prop in rows if prop in properties}
    if "StartingPosition" in properties:
        values["starting_position"] = properties["StartingPosition"]
    kinds = _part(properties, "FunctionResponseTypes", list, faults)
    if kinds not in ([], [PARTIAL_RESPONSE]):
        faults.append(
            f"FunctionResponseTypes must be ['{PARTIAL_RESPONSE}'] or left out, got {kinds!r}"
        )
    values["report_batch_item_failures"] = bool(kinds)
    criteria = _part(properties, "FilterCriteria", dict, faults)
    filters = _part(criteria, "Filters", list, faults)
    values["filters"] = [
        each.get("Pattern") if isinstance(each, Mapping) else each for each in filters
    ]
    destination = _part(properties, "DestinationConfig", dict, faults)
    on_failure = _part(destination, "OnFailure", dict, faults)
    values["on_failure"] = on_failure.get("Destination") or None
    if destination.get("OnSuccess"):
        faults.append("DestinationConfig.OnSuccess is not for streams; remove it")
    # CloudFormation spells it KmsKeyArn, the API KMSKeyArn.
    key = properties.get("KmsKeyArn") or properties.get("KMSKeyArn")
    values["filter_encryption_key"] = key or None
    metrics = _part(properties, "MetricsConfig", dict, faults)
    values["metrics"] = _part(metrics, "Metrics", list, faults)
    tags = _part(properties, "Tags", list, faults)
    values["tags"] = [
        (tag.get("Key"), tag.get("Value")) if isinstance(tag, Mapping) else tag for tag in tags
    ]
    return values


def _part(holder: Mapping[str, Any], name: str, kind: type, faults: list[str]) -> Any:
    """Return a part of the properties that is a list or an object; an empty one when it is not."""
    value = holder.get(name)
    reference = isinstance(value, Mapping) and any(
        key == "Ref" or key.startswith("Fn::") for key in value
    )
    if value is None or (isinstance(value, kind) and not reference):
        return kind() if value is None else value
    what = "an object" if kind is dict else "a list"
    shown = f"the reference {json.dumps(value)}; resolve it" if reference else repr(value)[:80]
    faults.append(f"{name} must be {what}, got {shown}")
    return kind()


def _plain(value: Any) -> Any:
    """Turn a template's `"100"` and `"true"` into 100 and True; anything else stays."""
    if isinstance(value, str):
        if value in {"true", "false"}:
            return value == "true"
        if value.removeprefix("-").isdecimal():
            return int(value)
    return value
