"""From the event that Lambda sends to the changes that a handler takes."""

from __future__ import annotations

from lambda_runtime._changes.changes import ABSENT, Absent, Change, Insert, Modify, Remove
from lambda_runtime._changes.items import Item
from lambda_runtime._changes.origin import Source, UserIdentity
from lambda_runtime._values.numbers_as import converter
from lambda_runtime.errors import EventError, kind_of

__all__ = [
    "ABSENT",
    "Absent",
    "Change",
    "Insert",
    "Item",
    "Modify",
    "Remove",
    "Source",
    "UserIdentity",
    "change_of",
    "parse",
    "records_of",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_runtime._values.numbers_as import Convert, Numbers

_OURS = "aws:dynamodb"
_KINDS: dict[str, type[Insert | Modify | Remove]] = {
    "INSERT": Insert,
    "MODIFY": Modify,
    "REMOVE": Remove,
}


def parse(event: Any, *, numbers: Numbers = "decimal") -> list[Insert | Modify | Remove]:
    """Read a DynamoDB stream event: `{"Records": [{"eventName": "INSERT", …}]}`.

    Changes that come by way of an event bus, a queue, a topic, a Kinesis stream or a pipe are taken
    out of what they arrive in: docs/data-movement.md lists it.

    Only what decides the kind of each change is checked here; everything else is read, checked and
    decoded when it is asked for. The event is kept and never changed. No records give no changes.
    `numbers` is what N becomes, as in `decode`.

    Raises:
        EventError: for anything that is no DynamoDB stream event, with the path.
    """
    convert = converter(numbers)
    try:
        records = event["Records"]
        direct = _source_of(records[0]) == _OURS and records[0]["dynamodb"]
    except (TypeError, LookupError, AttributeError):
        direct = False
    if not direct:
        from lambda_runtime._changes.envelopes import unwrapped  # noqa: PLC0415 - most changes come directly

        found = unwrapped(event)
        event = event if found == [event] else {"Records": found}
    return [change_of(record, index, convert) for index, record in enumerate(records_of(event))]


def records_of(event: Any) -> list[Any]:
    """Give the records of a stream event, or of an EventBridge pipe's bare list, as they are."""
    if event.__class__ is list:
        records: list[Any] = event
        return records
    stream_event = 'expected a DynamoDB stream event {"Records": […]}'
    if not isinstance(event, dict):
        raise EventError(f"got {kind_of(event)}, {stream_event}")
    if "Records" not in event:
        raise EventError(f"got an object without Records, {stream_event}")
    records = event["Records"]
    if not isinstance(records, list):
        raise EventError(f"got {kind_of(records)}, expected an array of records", ("Records",))
    return records


def change_of(record: Any, index: int = 0, convert: Convert = None) -> Insert | Modify | Remove:
    """Read one record: the record's half of `parse`. `index` is its place in the event."""
    try:
        if _source_of(record) == _OURS and record["dynamodb"].__class__ is dict:
            return _KINDS[record["eventName"]](record, convert, index)
    except (TypeError, KeyError, AttributeError):
        pass
    raise _fault(record, index)


def _fault(record: Any, index: int) -> EventError:
    """Say why a record is none of a DynamoDB stream: the slow half of `change_of`."""
    path = ("Records", index)
    if not isinstance(record, dict):
        return EventError(f"got {kind_of(record)}, expected a record", path)
    source = _source_of(record)
    if source != _OURS:
        why = f"got {_name(source)}, expected 'aws:dynamodb': no record of a DynamoDB stream"
        return EventError(why, (*path, "eventSource"))
    name = record.get("eventName")
    if not isinstance(name, str) or name not in _KINDS:
        why = f"got {_name(name)}, expected one of {' '.join(_KINDS)}"
        return EventError(why, (*path, "eventName"))
    why = f"got {kind_of(record.get('dynamodb'))}, expected the change's keys and images"
    return EventError(why, (*path, "dynamodb"))


def _source_of(record: Any) -> Any:
    """Name the service: one written by hand may leave it out, one of another service never does."""
    return record.get("eventSource") or record.get("EventSource", _OURS)


def _name(value: Any) -> str:
    return repr(value[:40]) if isinstance(value, str) else kind_of(value)
