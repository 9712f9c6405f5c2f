"""A change as an event: CloudEvents 1.0 in JSON, the same on every target.

    {"specversion": "1.0", "id": "a2b3…", "source": "arn:aws:dynamodb:…:table/Orders",
     "type": "com.amazonaws.dynamodb.MODIFY", "subject": "o-1", "time": "2026-11-26T07:11:00+00:00",
     "datacontenttype": "application/json", "dataschema": "urn:cdk-streams:item-change:1",
     "sequence": "000…3800002862", "streamarn": "arn:…", "viewtype": "NEW_AND_OLD_IMAGES",
     "data": {"keys": {"order_id": "o-1"}, "before": {…}, "after": {…}, "changed": ["status"]}}

`type` follows the CloudEvents adapters for AWS services. `sequence` and `dataref` are extensions of
CloudEvents: a text that grows with each change of an item, and where data lies that was too large.
https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md
"""

from __future__ import annotations

from urllib.parse import quote

from lambda_runtime._changes.changes import Modify
from lambda_runtime._tables.conditional_writes import padded
from lambda_runtime._values.json_text import to_json
from lambda_runtime.errors import kind_of
from lambda_runtime.forward._errors import ForwardError
from lambda_runtime.forward._plain_values import plain_map, quoted

__all__ = ["ITEM_CHANGE_SCHEMA", "Event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from lambda_runtime._changes.changes import Change

ITEM_CHANGE_SCHEMA = "urn:cdk-streams:item-change:1"
"""The schema of `data` unless the forwarder names another; its number grows with its form."""
TYPE_PREFIX = "com.amazonaws.dynamodb."
"""What stands before INSERT, MODIFY or REMOVE in an event's type."""


class Event:
    """The event for one change; `text()` is the whole event as JSON in ASCII.

    Args:
        change: The change.
        source: Where it happened, a URI reference; None means the table's ARN.
        schema: The URI of the schema of `data`.

    Raises:
        EventError: The record lacks what an event needs.
        AttributeValueError: An image holds what is no DynamoDB value.
    """

    __slots__ = (
        "_data",
        "_head",
        "_types",
        "id",
        "sequence_number",
        "source",
        "subject",
        "table",
        "time",
        "type",
    )

    def __init__(
        self, change: Change, source: str | None = None, schema: str = ITEM_CHANGE_SCHEMA
    ) -> None:
        record = change.record
        self.id = change.event_id
        self.source = source or change.source.arn.partition("/stream/")[0]
        self.table = change.source.table
        self.sequence_number = change.sequence_number
        self.type = f"{TYPE_PREFIX}{record['eventName']}"
        self.subject = subject_of(change)
        self.time: datetime = change.created_at
        head = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "datacontenttype": "application/json",
            "dataschema": schema,
            "sequence": padded(self.sequence_number),
            "streamarn": change.source.arn,
            "viewtype": record["dynamodb"].get("StreamViewType"),
        }
        self._head = ",".join(
            f"{quoted(name)}:{quoted(text)}" for name, text in head.items() if text is not None
        )
        self._types: dict[str, str] = {}
        self._data = _data(change, self._types)

    def data(self, omit: Iterable[str] = ()) -> str:
        """Write the member `data`: keys, before, after, changed; `omit` names what to leave out."""
        left_out = [name for name in omit if name in self._data]
        members = {name: text for name, text in self._data.items() if name not in left_out}
        gone = tuple(f"/{name}/" for name in left_out)
        types = {at: tag for at, tag in self._types.items() if not at.startswith(gone)}
        if types:
            members["types"] = to_json(types)
        if left_out:
            members["omitted"] = to_json(left_out)
        return f"{{{','.join(f'{quoted(name)}:{text}' for name, text in members.items())}}}"

    def text(self, omit: Iterable[str] = (), dataref: str | None = None) -> str:
        """Write the event as one line.

        Args:
            omit: Members of `data` to leave out; `data.omitted` then names them.
            dataref: The URI of the whole data, for an event that leaves some of it out.
        """
        reference = "" if dataref is None else f',"dataref":{quoted(dataref)}'
        return f'{{{self._head}{reference},"data":{self.data(omit)}}}'


def _data(change: Change, types: dict[str, str]) -> dict[str, str]:
    """Give the members of `data` as JSON texts; what JSON does not tell is added to `types`."""
    data = {
        "keys": plain_map(change.keys, "/keys", types),
        "before": plain_map(change.old, "/before", types) if change.has_old else "null",
        "after": plain_map(change.new, "/after", types) if change.has_new else "null",
    }
    if isinstance(change, Modify) and change.has_old and change.has_new:
        names = sorted({*change.old.raw, *change.new.raw})
        data["changed"] = to_json([name for name in names if change.changed(name)])
    if (identity := change.user_identity) is not None:
        data["user_identity"] = to_json(
            {"type": identity.type, "principal_id": identity.principal_id}
        )
    if change.size_bytes:
        data["size_bytes"] = str(change.size_bytes)
    return data


def subject_of(change: Change) -> str:
    """Write the item's key as one text: `o-1`, or `o-1/7` for two key attributes by name.

    Values are percent-encoded, so that no two keys have one subject. A binary value is its base64.
    """
    keys: dict[str, Any] = change.keys.raw
    try:
        values = [next(iter(keys[name].values())) for name in sorted(keys)]
    except (AttributeError, StopIteration):
        raise ForwardError(f"the key of {change!r} has a value without a type") from None
    if not all(isinstance(value, str) for value in values):
        found = " and ".join(kind_of(value) for value in values if not isinstance(value, str))
        raise ForwardError(f"a key attribute must be S, N or B as text, got {found}")
    return "/".join(quote(value, safe="") for value in values)
