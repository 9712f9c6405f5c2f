"""The settings as the properties of a template and as an answer of the Lambda API."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from cdk_streams.errors import SettingsError
from cdk_streams.mapping._setting import Setting

__all__ = ["read", "render", "unknown"]

_NOT_FOR_DYNAMODB: Final = {
    "AmazonManagedKafkaEventSourceConfig": "Kafka",
    "DocumentDBEventSourceConfig": "DocumentDB",
    "LoggingConfig": "Kafka",
    "ProvisionedPollerConfig": "SQS and Kafka",
    "Queues": "Amazon MQ",
    "ScalingConfig": "SQS",
    "SelfManagedEventSource": "Kafka",
    "SelfManagedKafkaEventSourceConfig": "Kafka",
    "SourceAccessConfigurations": "Kafka and Amazon MQ",
    "StartingPositionTimestamp": "Kinesis and Kafka",
    "Topics": "Kafka",
}
"""Properties of the resource type that a DynamoDB mapping does not take, and whose they are."""

_ENDS: Final = ("EventSourceArn", "FunctionName")


def render(settings: object, declared: Mapping[str, Setting[Any, Any]]) -> dict[str, Any]:
    """Return the properties of the settings, those with Lambda's default left out."""
    values = {name: getattr(settings, name) for name in declared}
    return {
        setting.prop: setting.write(values[name])
        for name, setting in declared.items()
        if setting.always or values[name] != setting.default
    }


def read(
    properties: Mapping[str, Any], declared: Mapping[str, Setting[Any, Any]], faults: list[str]
) -> dict[str, Any]:
    """Return the keyword arguments of `MappingSettings` for the properties of a mapping.

    Raises:
        SettingsError: The properties are no dict.

    """
    if not isinstance(properties, Mapping):
        raise SettingsError(
            "the properties of a mapping must be a dict, got "
            f"{type(properties).__name__}; write {{'BatchSize': 10}}"
        )
    faults += [
        f"{name} is for {whose}, not for a DynamoDB stream; remove it"
        for name, whose in _NOT_FOR_DYNAMODB.items()
        if properties.get(name)
    ]
    values: dict[str, Any] = {}
    for name, setting in declared.items():
        prop = setting.prop if setting.prop in properties else setting.api
        if prop in properties:
            values[name] = setting.read(properties[prop], faults)
    return values


def unknown(properties: Mapping[str, Any], declared: Mapping[str, Setting[Any, Any]]) -> list[str]:
    """Return a sentence for each property that CloudFormation would refuse the template for."""
    known = [*_ENDS, *_NOT_FOR_DYNAMODB, *(setting.prop for setting in declared.values())]
    faults = []
    for name in sorted(properties.keys() - {*known}):
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else "; remove it"
        faults.append(f"{name} is no property of AWS::Lambda::EventSourceMapping{hint}")
    return faults
