"""A table in memory, to test writers with: it refuses what DynamoDB and boto3 refuse.

table = MemoryTable("pk")
write_once(table, change)
assert table.live() == [{"pk": "ORDER#1", "status": "PAID"}]
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal

from lambda_runtime._tables.conditional_writes import DELETED, EXPIRES_AT, SEQUENCE, is_tombstone
from lambda_runtime._values.encoding import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ConditionFailed", "ItemRefused", "MemoryTable", "item_bytes"]

_MAX_ITEM_BYTES = 400 * 1024
_CONTAINER_BYTES, _MEMBER_BYTES = 3, 1
_DIGITS_PER_BYTE = 2


class ConditionFailed(Exception):  # noqa: N818 - named for what happened, as botocore names it
    """What botocore's ConditionalCheckFailedException is, by its content."""

    def __init__(self) -> None:
        super().__init__("The conditional request failed")
        self.response = {"Error": {"Code": "ConditionalCheckFailedException"}}


class ItemRefused(Exception):  # noqa: N818 - as above
    """What botocore's ValidationException is, by its content."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.response = {"Error": {"Code": "ValidationException", "Message": message}}


class MemoryTable:
    """A table in memory, for tests: its items by their key.

    `put_item` takes what boto3's `Table.put_item` takes, in Python's values.

    An item with a float, an empty or a mixed set, a datetime or another object raises
    `AttributeValueError`, one over 400 KB `ItemRefused`. It knows the conditions that a guarded
    write has, `attribute_not_exists(#name)` and `#name < :value`, alone or with OR between them,
    and refuses all others.

    Args:
        keys: The names of the table's key attributes.
    """

    def __init__(self, *keys: str) -> None:
        self._keys = keys
        self.items: dict[tuple[Any, ...], dict[str, Any]] = {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Replace an item if the request's condition holds for the one that is there."""
        item = dict(request["Item"])
        encode(item, binary="bytes")
        if item_bytes(item) > _MAX_ITEM_BYTES:
            raise ItemRefused("Item size has exceeded the maximum allowed size of 400 KB")
        key = tuple(item[name] for name in self._keys)
        condition = request.get("ConditionExpression")
        if condition is not None and not _holds(condition, self.items.get(key, {}), request):
            raise ConditionFailed
        self.items[key] = item
        return {}

    def live(self) -> list[dict[str, Any]]:
        """The items that are no tombstones, in key order, without the guard's own attribute."""
        items = [self.items[key] for key in sorted(self.items)]
        return [_without_guard(item) for item in items if not is_tombstone(item)]

    def expire(self, now: float) -> None:
        """Do what DynamoDB's time to live does within some days: remove expired tombstones.

        Args:
            now: Seconds since 1970.
        """
        alive = {k: i for k, i in self.items.items() if i.get(EXPIRES_AT, now) >= now}
        self.items = alive


def item_bytes(item: Any) -> int:
    """The size that DynamoDB counts for an item: its names and values, numbers nearly.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, (int, Decimal)):
        sign, digits, _ = Decimal(value).normalize().as_tuple()
        return -(-len(digits) // _DIGITS_PER_BYTE) + 1 + sign
    if isinstance(value, Mapping):
        return _CONTAINER_BYTES + len(value) * _MEMBER_BYTES + item_bytes(value)
    inside = sum(map(_value_bytes, value))
    is_set = isinstance(value, AbstractSet)
    return inside if is_set else _CONTAINER_BYTES + len(value) * _MEMBER_BYTES + inside


def _without_guard(item: dict[str, Any]) -> dict[str, Any]:
    return {n: value for n, value in item.items() if n not in (SEQUENCE, DELETED, EXPIRES_AT)}


def _holds(condition: str, item: dict[str, Any], request: dict[str, Any]) -> bool:
    return any(_clause(clause.strip(), item, request) for clause in condition.split(" OR "))


def _clause(clause: str, item: dict[str, Any], request: dict[str, Any]) -> bool:
    names = request["ExpressionAttributeNames"]
    if clause.startswith("attribute_not_exists(") and clause.endswith(")"):
        return names[clause[len("attribute_not_exists(") : -1]] not in item
    left, operator, right = clause.split()
    if operator != "<":
        raise NotImplementedError(
            "MemoryTable evaluates attribute_not_exists(...) and <, as guarded writes use them, "
            f"got the condition {clause!r}; test others with FakeDynamoDB"
        )
    stored: Any = item.get(names[left])
    given: Any = request["ExpressionAttributeValues"][right]
    # A missing attribute, or one of another type, compares as false in DynamoDB.
    return type(stored) is type(given) and bool(stored < given)
