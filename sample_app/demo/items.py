"""Items to DynamoDB's JSON and back by boto3, not by lambda_runtime, which the demo checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["plain", "typed"]

_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """`{"id": "sku#tea"}` as `{"id": {"S": "sku#tea"}}`."""
    return {name: _SERIALIZER.serialize(value) for name, value in item.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """`{"id": {"S": "sku#tea"}}` as `{"id": "sku#tea"}`; numbers become Decimal."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}
