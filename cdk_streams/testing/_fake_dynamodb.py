"""DynamoDB's item API in memory, for tests of what writes and reads tables through boto3's client.

    target = FakeDynamoDB({"OrdersCopy": ("pk",)})
    with use_client(target):
        handler(event, None)
    assert target.items("OrdersCopy") == [{"pk": "ORDER#1", "status": "PAID"}]

A table of a `World` may be given in place of key names: what is written then has a stream.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from cdk_streams._argument_checks import list_of_names
from cdk_streams.simulator._dynamodb.serialization import stored
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.testing._expressions import holds, inserted_item
from cdk_streams.testing._fake_transactions import Refused, transact
from lambda_runtime import decode, encode, is_tombstone

__all__ = ["FakeDynamoDB", "RequestFailed"]

Attributes = dict[str, dict[str, Any]]
_GUARD_PREFIX = "_stream_"


class RequestFailed(Exception):  # noqa: N818 - named for what happened, as botocore names it
    """The error of a fake table, with the content of botocore's: `response["Error"]["Code"]`."""

    def __init__(self, code: str, message: str = "", item: Attributes | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.response: dict[str, Any] = {"Error": {"Code": code, "Message": message}}
        if item is not None:
            self.response["Item"] = item


class _Items(Protocol):
    """Where the items of one table are kept; keys and items are typed values, B as bytes."""

    keys: tuple[str, ...]

    def get(self, key: Attributes) -> Attributes | None: ...
    def put(self, item: Attributes) -> None: ...
    def delete(self, key: Attributes) -> None: ...
    def all(self) -> list[Attributes]: ...


class FakeDynamoDB:
    """The operations of boto3's DynamoDB client that replicas, views and their commands call.

    Args:
        tables: Each table's name with its key attributes, or with a table of a `World`.
        on_request: Is called with the operation's name and its arguments before anything is done;
            what it raises is the request's failure. `RequestFailed("ThrottlingException")`.
        page_size: Items in one page of a scan, at most.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[str] | Table],
        *,
        on_request: Callable[[str, dict[str, Any]], None] | None = None,
        page_size: int = 100,
    ) -> None:
        self._tables: dict[str, _Items] = {
            name: _WorldItems(kept) if isinstance(kept, Table) else _OwnItems(name, kept)
            for name, kept in tables.items()
        }
        self._on_request = on_request or (lambda _operation, _request: None)
        self._page_size = page_size
        self._lock = threading.RLock()

    def items(self, table: str) -> list[dict[str, Any]]:
        """The items that are no tombstones, in key order, without a replica's own attributes."""
        found = [_without_guard(each) for each in self.stored(table) if not is_tombstone(each)]
        return sorted(found, key=repr)

    def stored(self, table: str) -> list[dict[str, Any]]:
        """Every item as it is stored, in Python's values."""
        return [decode({"M": each}) for each in self._of(table).all()]

    def write(self, table: str, *items: Mapping[str, Any]) -> None:
        """Put items in Python's values, without a condition."""
        for item in items:
            self._of(table).put(_typed(item))

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Put one item if the condition holds."""
        self._on_request("PutItem", request)
        with self._lock:
            table = self._of(request["TableName"])
            before = table.get(_key(request["Item"], table.keys))
            if not holds(request, before or {}):
                raise RequestFailed("ConditionalCheckFailedException", item=before)
            table.put(_canonical(request["Item"]))
        return {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Return `{"Item": {…}}`, or nothing where there is none."""
        self._on_request("GetItem", request)
        with self._lock:
            found = self._of(request["TableName"]).get(request["Key"])
        return {} if found is None else {"Item": found}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Return the items of up to 100 keys, in any order."""
        self._on_request("BatchGetItem", request)
        with self._lock:
            found = {
                name: [
                    item for key in asked["Keys"] if (item := self._of(name).get(key)) is not None
                ]
                for name, asked in request["RequestItems"].items()
            }
        return {"Responses": found, "UnprocessedKeys": {}}

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        """Carry out PartiQL inserts; one of a key that is taken answers with DuplicateItem."""
        self._on_request("BatchExecuteStatement", request)
        answers: list[dict[str, Any]] = []
        with self._lock:
            for each in request["Statements"]:
                name, item = inserted_item(each["Statement"], each["Parameters"])
                table = self._of(name)
                if table.get(_key(item, table.keys)) is not None:
                    answers.append({"Error": {"Code": "DuplicateItem"}, "TableName": name})
                    continue
                table.put(_canonical(item))
                answers.append({"TableName": name})
        return {"Responses": answers}

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Write all or nothing: Put, Delete, ConditionCheck, and Update with ADD.

        The error of nothing is as boto3's: `response["CancellationReasons"]` says for each action
        whether its condition held.
        """
        self._on_request("TransactWriteItems", request)
        with self._lock:
            try:
                transact(self._of, request["TransactItems"])
            except Refused as refused:
                failed = RequestFailed(refused.code, refused.message)
                if refused.reasons:
                    failed.response["CancellationReasons"] = refused.reasons
                raise failed from None
        return {}

    def scan(self, **request: Any) -> dict[str, Any]:
        """Return one page of one segment, `LastEvaluatedKey` while there are more."""
        self._on_request("Scan", request)
        with self._lock:
            table = self._of(request["TableName"])
            segment, total = request.get("Segment", 0), request.get("TotalSegments", 1)
            found = list(_in_order(table))
        start = request.get("ExclusiveStartKey")
        mine = [
            (place, item)
            for place, item in found
            if place[0] % total == segment and (start is None or place > _place(start))
        ]
        size = min(self._page_size, request.get("Limit", self._page_size))
        page: dict[str, Any] = {"Items": [item for _, item in mine[:size]]}
        if len(mine) > size:
            page["LastEvaluatedKey"] = _key(mine[size - 1][1], table.keys)
        return page

    def describe_table(self, **request: Any) -> dict[str, Any]:
        """Return the table's key schema and the count of its items."""
        self._on_request("DescribeTable", request)
        table = self._of(request["TableName"])
        schema = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(table.keys, ("HASH", "RANGE"), strict=False)
        ]
        with self._lock:
            count = len(table.all())
        return {
            "Table": {
                "TableName": request["TableName"],
                "KeySchema": schema,
                "ItemCount": count,
                "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{request['TableName']}",
            }
        }

    def _of(self, table: str) -> _Items:
        name = table.rpartition("/")[2]
        if name not in self._tables:
            known = ", ".join(self._tables) or "none"
            raise RequestFailed(
                "ResourceNotFoundException",
                f"the table must be one that FakeDynamoDB was given ({known}), got {name}",
            )
        return self._tables[name]


class _OwnItems:
    def __init__(self, table: str, keys: Sequence[str]) -> None:
        self.keys = list_of_names(table, keys, what="key attributes", least=1)
        self._items: dict[str, Attributes] = {}

    def get(self, key: Attributes) -> Attributes | None:
        return self._items.get(_text(key))

    def put(self, item: Attributes) -> None:
        self._items[_text(_key(item, self.keys))] = item

    def delete(self, key: Attributes) -> None:
        self._items.pop(_text(key), None)

    def all(self) -> list[Attributes]:
        return list(self._items.values())


class _WorldItems:
    def __init__(self, table: Table) -> None:
        self.keys = tuple(table.stream.keys)
        self._table = table

    def get(self, key: Attributes) -> Attributes | None:
        found = self._table.get(decode({"M": key}))
        return None if found is None else _typed(found)

    def put(self, item: Attributes) -> None:
        self._table.put(decode({"M": item}))

    def delete(self, key: Attributes) -> None:
        self._table.delete(decode({"M": key}))

    def all(self) -> list[Attributes]:
        return [_typed(item) for item in self._table.items()]


def _in_order(table: _Items) -> Iterator[tuple[tuple[int, str], Attributes]]:
    """The items with their places, in the order of a scan: by the hash of the key."""
    yield from sorted(
        ((_place(_key(item, table.keys)), item) for item in table.all()), key=lambda each: each[0]
    )


def _place(key: Attributes) -> tuple[int, str]:
    text = _text(key)
    return zlib.crc32(text.encode()), text


def _text(key: Attributes) -> str:
    return json.dumps(stored(decode({"M": key})), sort_keys=True)


def _key(item: Attributes, keys: Sequence[str]) -> Attributes:
    missing = [name for name in keys if name not in item]
    if missing:
        raise RequestFailed(
            "ValidationException",
            f"an item must have the key attributes {', '.join(keys)}, got one without "
            f"{', '.join(missing)}",
        )
    return {name: item[name] for name in keys}


def _canonical(item: Attributes) -> Attributes:
    """The item as DynamoDB keeps it: each number in its one spelling."""
    return _typed(decode({"M": item}))


def _typed(item: Mapping[str, Any]) -> Attributes:
    made: Attributes = encode(decode({"M": stored(item)}), binary="bytes")["M"]
    return made


def _without_guard(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if not name.startswith(_GUARD_PREFIX)}
