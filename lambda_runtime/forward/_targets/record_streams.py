"""Kinesis data streams and Firehose streams: a record's data is the event.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
"""

from __future__ import annotations

from lambda_runtime.forward._delivery import Refusal
from lambda_runtime.forward._entries import Limits
from lambda_runtime.forward._targets.messages import group_of

__all__ = ["FirehoseDeliveryStream", "KinesisStream"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambda_runtime.forward._entries import Entry
    from lambda_runtime.forward._events import Event

_ENTRIES = 500
_MIB = 1_048_576
_LARGEST_PARTITION_KEY = 256


class KinesisStream:
    """A Kinesis data stream, by its name. The item is the partition key, which keeps its order."""

    service = "kinesis"
    operation = "PutRecords"
    # A record of up to 1 MiB fits every stream; a call takes 10 MiB today and took 5 MiB before.
    limits = Limits(_ENTRIES, 5 * _MIB, _MIB)
    keeps_order = True

    def __init__(self, name: str) -> None:
        self.name = name

    def overhead_bytes(self, event: Event) -> int:
        """Return the bytes of the partition key, which count as the data does."""
        return len(group_of(event.subject, _LARGEST_PARTITION_KEY))

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Put up to 500 records; return the refused ones by their place."""
        records = [
            {
                "Data": entry.text.encode(),
                "PartitionKey": group_of(entry.event.subject, _LARGEST_PARTITION_KEY),
            }
            for entry in entries
        ]
        answer = client.put_records(StreamName=self.name, Records=records)
        return _refused(answer["Records"], len(entries))


class FirehoseDeliveryStream:
    """A Firehose stream, by its name. An event ends with a line break, as files of lines need."""

    service = "firehose"
    operation = "PutRecordBatch"
    limits = Limits(_ENTRIES, 4_000_000, 1_024_000)
    keeps_order = False

    def __init__(self, name: str) -> None:
        self.name = name

    def overhead_bytes(self, _: Event) -> int:
        """Return 1: the line break."""
        return 1

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Put up to 500 records; return the refused ones by their place."""
        records = [{"Data": f"{entry.text}\n".encode()} for entry in entries]
        answer = client.put_record_batch(DeliveryStreamName=self.name, Records=records)
        return _refused(answer["RequestResponses"], len(entries))


def _refused(told: Sequence[dict[str, Any]], count: int) -> dict[int, Refusal]:
    refused = {
        place: Refusal(one["ErrorCode"]) for place, one in enumerate(told) if one.get("ErrorCode")
    }
    # What the answer does not speak of was not accepted.
    return refused | {place: Refusal("MissingFromAnswer") for place in range(len(told), count)}
