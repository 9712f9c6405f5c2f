"""A record as the DynamoDB Streams API gives it, turned into the one that Lambda puts in an event.

The API (through boto3) has bytes, a datetime and `PrincipalId`; Lambda's event is JSON and has
base64 text, epoch seconds and `principalId`, and names the stream in `eventSourceARN`.
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["event_record"]


def event_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """Return the element of an event's `Records` for one element of GetRecords' `Records`.

    boto3's values become those of Lambda's JSON: binaries base64 text, the time of the change a
    number of seconds since 1970, and the members of `userIdentity` begin with a small letter.
    """
    change = dict(record["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        # Lambda's number is a float of whole seconds: 1789654328.0.
        change["ApproximateCreationDateTime"] = created.timestamp()
    for part in ("Keys", "NewImage", "OldImage"):
        if part in change:
            change[part] = {name: _json_value(value) for name, value in change[part].items()}
    event = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": record["eventSource"],
        "awsRegion": record["awsRegion"],
        "dynamodb": change,
        "eventSourceARN": stream_arn,
    }
    if identity := record.get("userIdentity"):
        event["userIdentity"] = {
            "type": identity["Type"],
            "principalId": identity["PrincipalId"],
        }
    return event


def _json_value(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an attribute value with its bytes as base64 text: `{"B": b"ab"}` → `{"B": "YWI="}`.

    A value without a type, which DynamoDB Local can return, stays `{}`.
    """
    if len(value) != 1:
        return dict(value)
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: _base64(content)}
        case "BS":
            return {kind: [_base64(each) for each in content]}
        case "L":
            return {kind: [_json_value(each) for each in content]}
        case "M":
            return {kind: {name: _json_value(each) for name, each in content.items()}}
        case _:
            return {kind: content}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
