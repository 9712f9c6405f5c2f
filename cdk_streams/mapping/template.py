"""The settings as a template and the Lambda API spell them, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cdk_streams.mapping.limits import FLAGS, LENGTHS, NOT_FOR_DYNAMODB, NUMBERS

if TYPE_CHECKING:
    from cdk_streams.mapping.settings import MappingSettings

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
    kinds = properties.get("FunctionResponseTypes") or []
    if kinds not in ([], [PARTIAL_RESPONSE]):
        faults.append(
            f"FunctionResponseTypes must be ['{PARTIAL_RESPONSE}'] or left out, got {kinds!r}"
        )
    values["report_batch_item_failures"] = bool(kinds)
    criteria = properties.get("FilterCriteria") or {}
    values["filters"] = [each.get("Pattern") for each in criteria.get("Filters") or ()]
    destination = properties.get("DestinationConfig") or {}
    values["on_failure"] = (destination.get("OnFailure") or {}).get("Destination") or None
    if destination.get("OnSuccess"):
        faults.append("DestinationConfig.OnSuccess is not for streams; remove it")
    # CloudFormation spells it KmsKeyArn, the API KMSKeyArn.
    key = properties.get("KmsKeyArn") or properties.get("KMSKeyArn")
    values["filter_encryption_key"] = key or None
    values["metrics"] = (properties.get("MetricsConfig") or {}).get("Metrics") or ()
    values["tags"] = [(tag["Key"], tag["Value"]) for tag in properties.get("Tags") or ()]
    return values


def _plain(value: Any) -> Any:
    """Turn a template's `"100"` and `"true"` into 100 and True; anything else stays."""
    if isinstance(value, str):
        if value in {"true", "false"}:
            return value == "true"
        if value.removeprefix("-").isdecimal():
            return int(value)
    return value
