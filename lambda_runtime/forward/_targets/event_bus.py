"""An EventBridge bus: `Detail` is the whole event, `Source` and `DetailType` its source and type.

A rule reads `{"detail-type": ["com.amazonaws.dynamodb.MODIFY"], "detail": {"data": {"changed":
["status"]}}}`.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from lambda_runtime.forward._delivery import Refusal
from lambda_runtime.forward._entries import Limits

__all__ = ["EventBus"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambda_runtime.forward._entries import Entry
    from lambda_runtime.forward._events import Event

# A call takes "less than 1 MB", all entries together.
_LARGEST_CALL_BYTES = 1_000_000
_TIME_BYTES = 14
# What will be the same when it is sent again.
_FINAL = ("MalformedDetail", "InvalidArgument")


class EventBus:
    """An event bus, by its name or ARN. It keeps no order: events have a `sequence`.

    Args:
        name: The bus; `default` is the account's own.
    """

    service = "events"
    operation = "PutEvents"
    limits = Limits(entries=10, call_bytes=_LARGEST_CALL_BYTES)
    keeps_order = False

    def __init__(self, name: str) -> None:
        self.name = name

    def overhead_bytes(self, event: Event) -> int:
        """Return the bytes of an entry besides its detail."""
        return len(event.source.encode()) + len(event.type) + _TIME_BYTES

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Put up to ten events; return the refused ones by their place."""
        answer = client.put_events(Entries=[self._entry(entry) for entry in entries])
        told = answer["Entries"]
        refused = {
            place: Refusal(one["ErrorCode"], final=one["ErrorCode"] in _FINAL)
            for place, one in enumerate(told)
            if one.get("ErrorCode")
        }
        # What the answer does not speak of was not accepted.
        missing = range(len(told), len(entries))
        return refused | {place: Refusal("MissingFromAnswer") for place in missing}

    def _entry(self, entry: Entry) -> dict[str, Any]:
        event = entry.event
        return {
            "EventBusName": self.name,
            "Source": event.source,
            "DetailType": event.type,
            "Time": event.time,
            "Detail": entry.text,
        }
