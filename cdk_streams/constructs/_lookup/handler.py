"""The function behind `StreamTable.look_up`: it finds the stream that a table has now.

CloudFormation sends `{"RequestType": "Create", "ResourceProperties": {"TableName": "Orders", …},
"ResponseURL": "https://…", …}` and waits for the answer at that address. This file ships alone:
Lambda's Python has boto3, and the answer needs nothing but the standard library.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

__all__ = ["handler"]

_ANSWER_TIMEOUT_S = 30


def handler(event: dict[str, Any], _context: object) -> None:
    """Answer CloudFormation in any case: without an answer it waits for an hour."""
    asked = event["ResourceProperties"]
    name = asked["TableName"]
    answer = {
        "Status": "SUCCESS",
        # The same for the same table, so that a new stream is an update and no replacement.
        "PhysicalResourceId": event.get("PhysicalResourceId", name),
        **{part: event[part] for part in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if event["RequestType"] != "Delete":
        answer["PhysicalResourceId"] = name
        try:
            answer["Data"] = stream_of(name, asked.get("StreamViewType"))
        except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation gets an answer
            answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    # The address is CloudFormation's own, signed for this one answer; it takes no content type.
    request = Request(  # noqa: S310 - see above
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        headers={"Content-Type": ""},
        method="PUT",
    )
    with urlopen(request, timeout=_ANSWER_TIMEOUT_S):  # noqa: S310 - see above
        pass


def stream_of(table_name: str, expected: str | None = None) -> dict[str, str]:
    """Return the attributes of the resource: the table's latest stream and what it carries."""
    table = describe(table_name)
    stream = table.get("StreamSpecification") or {}
    if not stream.get("StreamEnabled"):
        raise LookupError(
            f"the table {table_name!r} must have a stream, got none; turn it on and deploy again"
        )
    view_type = stream["StreamViewType"]
    if expected not in (None, view_type):
        raise LookupError(
            f"the stream of the table {table_name!r} must carry {expected}, got {view_type}; "
            "pass its stream_view_type to look_up, and filters that fit it to the consumers"
        )
    return {"StreamArn": table["LatestStreamArn"], "StreamViewType": view_type}


def describe(table_name: str) -> dict[str, Any]:
    """Return DynamoDB's description of the table in the function's own region."""
    import boto3  # noqa: PLC0415 - Lambda has it; those who deploy need not

    answer: Any = boto3.client("dynamodb").describe_table(TableName=table_name)
    table: dict[str, Any] = answer["Table"]
    return table
