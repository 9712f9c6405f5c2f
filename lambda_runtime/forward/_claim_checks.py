"""The data of events that are too large for their target: kept in S3, named by the event.

The event goes without its images and has the CloudEvents extension `dataref`, an `s3://` URI.
`fetch` reads it back on the other side.
https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
"""

from __future__ import annotations

from lambda_runtime.forward._errors import ForwardError, code_of
from lambda_runtime.forward._services import client

__all__ = ["ClaimChecks", "fetch"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from lambda_runtime._changes.changes import Change
    from lambda_runtime.forward._events import Event

    C = TypeVar("C", bound=Change)

_SCHEME = "s3://"


class ClaimChecks:
    """A bucket for the data of large events.

    Args:
        bucket: The bucket's name.
        prefix: What the names of its objects begin with.
    """

    def __init__(self, bucket: str, *, prefix: str = "") -> None:
        self.bucket = bucket
        self.prefix = prefix

    def store(self, event: Event) -> str:
        """Write an event's data and return its URI; the same event always has the same.

        Raises:
            ForwardError: S3 did not take it.
        """
        key = f"{self.prefix}{event.table}/{event.time:%Y/%m/%d}/{event.id}.json"
        try:
            client("s3").put_object(
                Bucket=self.bucket,
                Key=key,
                Body=event.data().encode(),
                ContentType="application/json",
            )
        except Exception as error:  # noqa: BLE001 - whatever S3 raises, the data is not there
            why = f"PutObject did not keep the data of a large event: {code_of(error)}"
            raise ForwardError(why) from None
        return f"{_SCHEME}{self.bucket}/{key}"


def fetch(change: C) -> C:
    """Return a change with the images that a large event left in S3; any other one as it is.

    Raises:
        ForwardError: The reference is no `s3://` URI.
    """
    dataref = change.record.get("dataref")
    if dataref is None:
        return change
    if not isinstance(dataref, str) or not dataref.startswith(_SCHEME):
        raise ForwardError(
            "dataref must be an s3:// URI, got another value; read the object that it names with "
            "a client of your own"
        )
    from lambda_runtime._changes.envelopes import exact_json, with_data  # noqa: PLC0415 - large events only

    bucket, _, key = dataref.removeprefix(_SCHEME).partition("/")
    body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return type(change)(with_data(change.record, exact_json(body)))
