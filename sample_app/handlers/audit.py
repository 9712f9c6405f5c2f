"""Every change of an order is kept: one object of JSON lines for each batch.

A line is what the stream said, in DynamoDB's own JSON, so that nothing is lost:
`{"event": "INSERT", "sequence_number": "100", …, "new": {"order_id": {"S": "o-1"}}}`.

The object's name follows from the batch alone. A batch that Lambda sends again replaces its
object; one that Lambda has cut in between leaves some lines twice, told by `sequence_number`.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from lambda_runtime import Change, Item, encode, parse

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def handler(event: dict[str, Any], _context: object) -> None:
    """Write the batch as one object; an error leaves the whole batch to Lambda's retries."""
    changes = parse(event)
    if not changes:
        return
    first, last = changes[0], changes[-1]
    name = f"{first.sequence_number}-{last.sequence_number}.jsonl"
    s3().put_object(
        Bucket=os.environ["AUDIT_BUCKET"],
        Key=f"{first.source.table}/{first.created_at:%Y/%m/%d}/{name}",
        Body="".join(line(change) for change in changes).encode(),
        ContentType="application/jsonl",
    )


def line(change: Change) -> str:
    """Return the change as one line of JSON."""
    return (
        json.dumps(
            {
                "event": type(change).__name__.upper(),
                "sequence_number": change.sequence_number,
                "created_at": change.created_at.isoformat(),
                "keys": typed(change.keys),
                "old": typed(change.old) if change.has_old else None,
                "new": typed(change.new) if change.has_new else None,
            },
            separators=(",", ":"),
        )
        + "\n"
    )


def typed(item: Item) -> Any:
    """Spell an item as DynamoDB does: `{"order_id": {"S": "o-1"}}`."""
    return encode(item)["M"]


@cache
def s3() -> S3Client:
    """Make the client on first use: importing this file needs no region and costs no time."""
    return boto3.client("s3")
