"""Messages of a reject queue, each with one whole record, as failure records with a payload.

    {"reason": "no such product", "route": "created", "eventSourceARN": "arn:aws:dynamodb:…",
     "functionName": "orders-audit", "functionArn": "arn:aws:lambda:…:orders-audit:live",
     "record": {"eventID": "…", "eventName": "INSERT", …}}

`lambda_runtime` sends them; a record whose message would be too large comes without its images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cdk_streams.errors import SourceError

__all__ = ["rejected_as_failure"]


def rejected_as_failure(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reject message as the failure record of a batch with one record.

    Raises:
        SourceError: It is no reject message, or its record came without its images.

    """
    record = body.get("record")
    change = record.get("dynamodb") if isinstance(record, Mapping) else None
    # The ARN names the alias, whose mapping it is; without a context there is the name alone.
    function = body.get("functionArn") or body.get("functionName")
    if not isinstance(change, Mapping) or not isinstance(function, str):
        raise SourceError(
            "a message of a reject queue must have functionName and record, got the keys "
            f"{', '.join(str(each)[:40] for each in [*body][:10]) or 'none'}"
        )
    if body.get("omitted"):
        raise SourceError(
            "a rejected record must have its images to be handled again, got one that was too "
            "large for a message; read it from the table by its keys"
        )
    number = change.get("SequenceNumber")
    return {
        "requestContext": {"functionArn": function, "condition": "Rejected"},
        "DDBStreamBatchInfo": {
            "streamArn": body.get("eventSourceARN"),
            "shardId": "not named",
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": 1,
        },
        "payload": json.dumps({"Records": [record]}),
    }
