"""Items that a table held before its view: handed to the view's function as records."""

from __future__ import annotations

from base64 import b64encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

__all__ = ["CLOCK_MARGIN_S", "backfill_event"]

CLOCK_MARGIN_S = 300
"""How far the clocks of the scanning process and of DynamoDB may differ: five minutes."""


def backfill_event(
    items: Iterable[Mapping[str, Any]], keys: Sequence[str], *, scanned_at: float
) -> dict[str, Any]:
    """Return the event that gives scanned items to a view's function, as JSON can hold it.

    Each item is an insert with the sequence number 0. It is applied unless a change made after the
    scan began has been; and changes made before are then old news, also when someone redrives them
    later. So the order of backfill and stream does not matter, and a backfill may be interrupted
    and begun again. It also repairs a view that has missed changes, except deletes.

    The function has to be deployed, with this view, five minutes before the scan begins: of what is
    written from then on, the stream has to bring the newest state.

    Args:
        items: What a scan gives, in typed values: `{"order_id": {"S": "o-1"}, …}`.
        keys: The names of the table's key attributes.
        scanned_at: When the scan began, in seconds since 1970; the same for all its pages.
    """
    before = scanned_at - CLOCK_MARGIN_S
    return {"Records": [_record(_json(item), keys, before) for item in items]}


def _record(item: dict[str, Any], keys: Sequence[str], before: float) -> dict[str, Any]:
    return {
        "eventID": "backfill",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": before,
            "Keys": {name: item[name] for name in keys},
            "NewImage": item,
            "SequenceNumber": "0",
            "SizeBytes": 0,
            "StreamViewType": "NEW_IMAGE",
        },
    }


def _json(value: Any) -> Any:
    """Write bytes, which boto3 gives, as the base64 text that Lambda's events have."""
    if isinstance(value, dict):
        return {name: _json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    return b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else value
