"""Changes that come by way of another service, as the stream records they were.

Taken out of their envelopes, one in another where need be: the events of an EventBridge bus, the
messages of SQS and SNS, the records of Kinesis, the bare list of an EventBridge pipe, and the
CloudEvents of `lambda_runtime.forward` in any of them.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from datetime import datetime
from decimal import Decimal

from lambda_runtime.errors import EventError

__all__ = ["exact_json", "unwrapped", "with_data"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Path = tuple[str | int, ...]

# Members that hold another envelope, and those that hold one as text: of an event bus, SNS and
# Kinesis; of SQS, SNS (in a queue, too) and Kinesis.
_ENVELOPES = ("detail", "Sns", "kinesis")
_TEXTS = ("body", "Message", "data")
_EXPECTED = "expected an event of lambda_runtime.forward"
_TYPE = "com.amazonaws.dynamodb."


def unwrapped(sent: Any, path: Path = (), *, inside: bool = False) -> list[Any]:
    """Give the stream records in an event, a message or a list of them.

    What is no envelope is given back as it is, for `change_of` to say what is wrong with it.

    Args:
        sent: What arrived.
        path: Where it stands in the event.
        inside: Whether it came out of an envelope, so that only a change can be meant.

    Raises:
        EventError: An envelope that holds no change.
    """
    if isinstance(sent, dict) and isinstance(sent.get("Records"), list):
        sent, path = sent["Records"], (*path, "Records")
    if isinstance(sent, list):
        found = (unwrapped(one, (*path, at), inside=inside) for at, one in enumerate(sent))
        return [record for records in found for record in records]
    if not isinstance(sent, dict) or "dynamodb" in sent:
        return [sent]
    if "specversion" in sent:
        return [_record(sent, path)]
    for name in _ENVELOPES:
        if isinstance(sent.get(name), dict):
            return unwrapped(sent[name], (*path, name), inside=True)
    for name in _TEXTS:
        if isinstance(sent.get(name), str):
            return unwrapped(_read(sent[name], name, path), (*path, name), inside=True)
    if inside:
        raise EventError(f"got an object that is no change, {_EXPECTED}", path)
    return [sent]


def exact_json(text: str | bytes) -> Any:
    """Read JSON without a loss: its fractions become Decimal."""
    return json.loads(text, parse_float=Decimal)


def _read(text: str, name: str, path: Path) -> Any:
    try:
        return exact_json(a2b_base64(text) if name == "data" else text)
    except ValueError:
        raise EventError(f"got text that is no JSON, {_EXPECTED}", (*path, name)) from None


def _record(event: dict[str, Any], path: Path) -> dict[str, Any]:
    """Rebuild the stream record from which a CloudEvent was made."""
    try:
        record = {
            "eventID": event["id"],
            "eventName": event["type"].removeprefix(_TYPE),
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": event["streamarn"].split(":")[3],
            "eventSourceARN": event["streamarn"],
            "dynamodb": {
                "ApproximateCreationDateTime": datetime.fromisoformat(event["time"]).timestamp(),
                "SequenceNumber": event["sequence"].lstrip("0"),
                "StreamViewType": event.get("viewtype"),
            },
        }
        if "dataref" in event:
            record["dataref"] = event["dataref"]
        return with_data(record, event["data"])
    except (LookupError, TypeError, ValueError, AttributeError):
        raise EventError(f"got another CloudEvent, {_EXPECTED}", path) from None


def with_data(record: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Give a record the keys, images and identity that an event's data holds."""
    types = data.get("types") or {}
    stream = {name: part for name, part in record["dynamodb"].items() if part is not None}
    for name, part in (("keys", "Keys"), ("before", "OldImage"), ("after", "NewImage")):
        if data.get(name) is not None:
            stream[part] = _typed(data[name], f"/{name}", types)["M"]
    if "size_bytes" in data:
        stream["SizeBytes"] = data["size_bytes"]
    made = {**record, "dynamodb": stream}
    if "user_identity" in data:
        who = data["user_identity"]
        made["userIdentity"] = {"type": who["type"], "principalId": who["principal_id"]}
    if "omitted" in data:
        made["omitted"] = data["omitted"]
    return made


def _typed(value: Any, pointer: str, types: dict[str, str]) -> dict[str, Any]:
    """Rebuild the typed value; `types` names the DynamoDB types that JSON does not tell."""
    if pointer in types:
        return {types[pointer]: value}
    if isinstance(value, dict):
        return {
            "M": {
                name: _typed(one, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", types)
                for name, one in value.items()
            }
        }
    if isinstance(value, list):
        return {"L": [_typed(one, f"{pointer}/{at}", types) for at, one in enumerate(value)]}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}
