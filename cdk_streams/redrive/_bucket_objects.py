"""Failure records in a bucket: the notification that names one, and the object that holds it.

    {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
        "bucket": {"name": "failed"}, "object": {"key": "aws/lambda/89ab…/shardId-…/2026/…"}}}]}

Lambda writes a failure record with the whole event that failed, so it outlives the stream's 24
hours. S3 notifies a queue of it where the bucket is configured so.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from cdk_streams.errors import SourceError
from cdk_streams.mapping import FAILURE_OBJECTS
from cdk_streams.redrive._failure_record import read_json

__all__ = [
    "FailureObject",
    "delete_object",
    "is_notification",
    "list_objects",
    "named_object",
    "read_object",
]

_GONE = {"NoSuchKey", "404"}
_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}")
_MOST_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class FailureObject:
    """Where a failure record lies in S3; its text is `s3://bucket/key`."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def is_notification(body: Mapping[str, Any]) -> bool:
    """Tell whether a message is S3's, and not a failure record itself."""
    records = body.get("Records")
    return isinstance(records, list) and bool(records) and all(map(_is_of_s3, records))


def named_object(record: Mapping[str, Any]) -> FailureObject:
    """Return the object that one record of a notification names.

    Raises:
        SourceError: It is not about a failure record that was written.

    """
    try:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
    except (KeyError, TypeError):
        bucket = key = None
    if not (isinstance(bucket, str) and isinstance(key, str) and _BUCKET.fullmatch(bucket)):
        raise SourceError("a notification of S3 must name a bucket and a key, got none")
    found = FailureObject(bucket, unquote_plus(key))
    event = str(record.get("eventName"))[:_MOST_CHARACTERS]
    if not event.startswith("ObjectCreated:"):
        raise SourceError(
            f"a notification must be of an object that was created, got {event} of {found}"
        )
    if len(found.key) > _MOST_CHARACTERS or not found.key.isprintable():
        raise SourceError("a notification of S3 must name a key that Lambda writes, got another")
    if not found.key.startswith(FAILURE_OBJECTS):
        raise SourceError(
            f"a notification must name an object under {FAILURE_OBJECTS}, where Lambda writes "
            f"failure records, got {found}"
        )
    return found


def read_object(s3: Any, location: FailureObject) -> Mapping[str, Any]:
    """Return the failure record in an object; of one without a JSON object an empty mapping.

    Raises:
        SourceError: The object is gone.

    """
    try:
        text = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        raise SourceError(
            f"the object {location} is gone: its bucket's lifecycle or a user has removed it, "
            "and its records with it"
        ) from None
    return read_json(text)


def list_objects(s3: Any, bucket: str, prefix: str) -> Iterator[FailureObject]:
    """Yield the objects under a prefix, in the order of their keys: of a shard the oldest first."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            yield FailureObject(bucket, each["Key"])


def delete_object(s3: Any, location: FailureObject) -> None:
    """Delete a failure record that was redriven; of a bucket with versions its newest version.

    Raises:
        ClientError: The permission `s3:DeleteObject` is missing.

    """
    s3.delete_object(Bucket=location.bucket, Key=location.key)


def _is_of_s3(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == "aws:s3"
