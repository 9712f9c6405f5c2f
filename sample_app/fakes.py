"""The two clients that the handlers use, in memory: what they write is here to look at.

Each has the methods that the handlers call and answers as AWS does, errors included; anything
else is an error that says so.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from lambda_runtime import decode

__all__ = ["FakeBucket", "FakeStock"]

_CONDITION = re.compile(r"(?:attribute_not_exists\((\w+)\)|(\w+) (=|>=) (:\w+))$")
_UPDATE = re.compile(r"SET (\w+) = (?:(\w+) ([+-]) )?(:\w+)$")


class FakeStock:
    """A DynamoDB client with one table, whose partition key is `id`.

    `items` are plain values by id: `{"sku#mug": {"id": "sku#mug", "available": Decimal(40)}}`.
    """

    def __init__(self, **available: int) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        for sku, count in available.items():
            self.items[f"sku#{sku}"] = {"id": f"sku#{sku}", "available": Decimal(count)}

    def available(self) -> dict[str, int]:
        """Return the units in stock by article."""
        return {
            name.removeprefix("sku#"): int(item["available"])
            for name, item in self.items.items()
            if name.startswith("sku#")
        }

    def reservations(self) -> dict[str, str]:
        """Return TAKEN, RETURNED or SHORT by order."""
        return {
            name.removeprefix("order#"): item["reservation"]
            for name, item in self.items.items()
            if name.startswith("order#")
        }

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Write all or nothing.

        Raises:
            ClientError: TransactionCanceledException with a reason for each action, as AWS has it.

        """
        changes = [self._change(*action) for entry in TransactItems for action in entry.items()]
        if not all(holds for holds, _ in changes):
            codes = ["None" if holds else "ConditionalCheckFailed" for holds, _ in changes]
            raise ClientError(
                {
                    "Error": {"Code": "TransactionCanceledException", "Message": str(codes)},
                    "CancellationReasons": [{"Code": code} for code in codes],
                },
                "TransactWriteItems",
            )
        self.items.update({item["id"]: item for _, item in changes})
        return {}

    def _change(self, kind: str, action: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Return whether the action's condition holds, and the item that it would leave."""
        wanted = decode({"M": action["Item" if kind == "Put" else "Key"]})
        before = self.items.get(wanted["id"], {})
        values = decode({"M": action.get("ExpressionAttributeValues", {})})
        holds = _holds(action.get("ConditionExpression"), before, values)
        if kind == "Put":
            return holds, wanted
        return holds, {**wanted, **before, **_updated(action["UpdateExpression"], before, values)}


class FakeBucket:
    """An S3 client with one bucket; `objects` are their texts by key."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Keep the object in place of one with its key."""
        if not Bucket:
            raise ValueError("Bucket must be a name, got an empty one; set AUDIT_BUCKET")
        self.objects[Key] = Body.decode()
        return {}

    def lines(self) -> list[dict[str, Any]]:
        """Return every line of every object, decoded, objects in the order they came."""
        return [json.loads(line) for text in self.objects.values() for line in text.splitlines()]


def _holds(condition: str | None, item: dict[str, Any], values: dict[str, Any]) -> bool:
    if condition is None:
        return True
    found = _CONDITION.match(condition)
    if found is None:
        raise NotImplementedError(f"this fake has no condition like {condition!r}")
    absent, name, operator, value = found.groups()
    if absent:
        return absent not in item
    if name not in item:
        return False
    return bool(item[name] == values[value] if operator == "=" else item[name] >= values[value])


def _updated(expression: str, item: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    found = _UPDATE.match(expression)
    if found is None:
        raise NotImplementedError(f"this fake has no update like {expression!r}")
    name, operand, sign, value = found.groups()
    if operand is None:
        return {name: values[value]}
    if operand not in item:
        raise ClientError({"Error": {"Code": "ValidationException"}}, "TransactWriteItems")
    return {name: item[operand] + values[value] * (1 if sign == "+" else -1)}
