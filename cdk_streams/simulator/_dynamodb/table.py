"""A table in memory whose writes become stream records, as DynamoDB makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from cdk_streams.errors import SourceError
from cdk_streams.mapping import TableStream
from cdk_streams.simulator._dynamodb.serialization import Attributes, stored
from cdk_streams.simulator._dynamodb.shards import Shard, Shards, place_of
from cdk_streams.simulator._records import TTL_IDENTITY, Record, record
from lambda_runtime import decode

__all__ = ["StreamSink", "Table"]


class StreamSink(Protocol):
    """What a table needs of the world it stands in."""

    def now_s(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        ...

    def written(self, table: Table, shard: Shard, change: Record) -> None:
        """Take a record that has just entered the shard."""
        ...

    def call_at(self, at_s: float, action: Callable[[], None]) -> None:
        """Run the action at that virtual time, in seconds since 1970."""
        ...


class ReadOnlyItem(dict[str, Any]):
    """An item of `Table.items`, read-only because it is shared; `dict(item)` copies it."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "an item of table.items() is read-only, got a change; change a copy, and write it "
            'with table.put({**item, "name": "value"})'
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class Table:
    """A table with a stream; make one with `World.table`.

    Items are plain Python values: `table.put({"pk": "ORDER#1", "total": 12})`. A write that changes
    nothing, and the delete of an item that is not there, write no record.
    """

    def __init__(
        self, stream: TableStream, shards: Shards, sink: StreamSink, ttl: str | None = None
    ) -> None:
        self.stream = stream
        self.shards = shards
        self.ttl = ttl
        self.written = 0
        self._sink = sink
        self._items: dict[str, Attributes] = {}
        # Items as plain values, decoded once: invariants look at all of them after every step.
        self._decoded: dict[str, ReadOnlyItem] = {}

    @property
    def name(self) -> str:
        """The table's name."""
        return self.stream.table

    def put(self, item: Mapping[str, Any]) -> None:
        """Write the whole item, in place of one with the same key.

        Raises:
            SourceError: An item without a key attribute, or with one that cannot be a key.
            AttributeValueError: A value that DynamoDB cannot hold, such as a float.

        """
        self._write(stored(item))

    def update(
        self, key: Mapping[str, Any], changes: Mapping[str, Any], remove: Iterable[str] = ()
    ) -> None:
        """Set attributes of an item and remove others; make the item where there is none."""
        names = [name for name in (*changes, *remove) if name in self.stream.keys]
        if names:
            raise SourceError(
                f"an update keeps the key attributes, got a change of {', '.join(names)}; "
                "delete the item and put another"
            )
        keys = self._key(stored(key))
        before = self._items.get(_text(keys), keys)
        after = {**before, **stored(changes)}
        for name in remove:
            after.pop(name, None)
        self._write(after)

    def delete(self, key: Mapping[str, Any]) -> None:
        """Delete the item with this key, if there is one."""
        self._remove(self._key(stored(key)), expired=False)

    def expire(self, key: Mapping[str, Any]) -> None:
        """Delete the item as DynamoDB's time to live does: the record has a `userIdentity`."""
        self._remove(self._key(stored(key)), expired=True)

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the item with this key, numbers as `Decimal`; None where there is none."""
        item = self._items.get(_text(self._key(stored(key))))
        return None if item is None else decode({"M": item})

    def items(self) -> list[dict[str, Any]]:
        """Return all items, those written first come first; each is read-only.

        Write a changed one with `table.put({**item, "status": "PAID"})`; `get` returns a copy.
        """
        decoded = self._decoded
        if len(decoded) < len(self._items):
            for text, item in self._items.items():
                if text not in decoded:
                    decoded[text] = ReadOnlyItem(decode({"M": item}))
        return [decoded[text] for text in self._items]

    def _write(self, item: Attributes) -> None:
        text = _text(self._key(item))
        before = self._items.get(text)
        if before == item:
            return
        self._items[text] = item
        self._decoded.pop(text, None)
        self._record("INSERT" if before is None else "MODIFY", before, item)
        due_s = self._expiry_s(item)
        if due_s is not None:
            self._sink.call_at(max(due_s, self._sink.now_s()), lambda: self._expire_due(text))

    def _remove(self, keys: Attributes, *, expired: bool) -> None:
        text = _text(keys)
        before = self._items.pop(text, None)
        if before is not None:
            self._decoded.pop(text, None)
            self._record("REMOVE", before, None, expired=expired)

    def _record(
        self, name: str, old: Attributes | None, new: Attributes | None, *, expired: bool = False
    ) -> None:
        self.written += 1
        change = record(
            name, old, new, stream=self.stream, number=self.written, at=self._sink.now_s()
        )
        if expired:
            change["userIdentity"] = dict(TTL_IDENTITY)
        partition = json.dumps(change["dynamodb"]["Keys"][self.stream.keys[0]])
        self._sink.written(self, self.shards.of(place_of(partition)), change)

    def _expire_due(self, text: str) -> None:
        # The item may have gone, or been given more time, since this was planned.
        item = self._items.get(text)
        due_s = None if item is None else self._expiry_s(item)
        if item is not None and due_s is not None and due_s <= self._sink.now_s():
            self._remove(self._key(item), expired=True)

    def _expiry_s(self, item: Attributes) -> float | None:
        number = item.get(self.ttl, {}).get("N") if self.ttl else None
        return None if number is None else float(number)

    def _key(self, item: Attributes) -> Attributes:
        for name in self.stream.keys:
            value = item.get(name)
            if value is None:
                raise SourceError(
                    f"{self.name} has the key attributes {', '.join(self.stream.keys)}, "
                    f"got an item without {name}; add it"
                )
            ((tag, content),) = value.items()
            if tag not in {"S", "N", "B"} or content == "":
                raise SourceError(
                    f"the key attribute {name} of {self.name} must be text, a number or bytes and "
                    f"not empty, got {tag}"
                )
        return {name: item[name] for name in self.stream.keys}


def _text(keys: Attributes) -> str:
    return json.dumps(keys, sort_keys=True)
