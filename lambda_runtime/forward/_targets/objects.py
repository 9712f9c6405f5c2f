"""A bucket: one object of JSON lines for a batch, compressed with gzip.

`changes/Orders/2026/11/26/3800…01-3800…99.jsonl.gz`: the day is that of the first change, the
numbers are the first and the last sequence number. The name and the bytes follow from the changes
alone, so a batch that Lambda delivers again replaces its object. A batch that Lambda has cut
leaves some events in two objects; their ids are the same.
"""

from __future__ import annotations

from lambda_runtime.forward._entries import Limits

__all__ = ["S3Bucket"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambda_runtime.forward._delivery import Refusal
    from lambda_runtime.forward._entries import Entry
    from lambda_runtime.forward._events import Event

# A batch has up to 10,000 records of up to 6 MB, and is one object; its events are never too large.
_BATCH = Limits(10_000, 1_000_000_000)


class S3Bucket:
    """A bucket, by its name.

    Args:
        name: The bucket's name.
        prefix: What the names of its objects begin with, such as `changes/`.
    """

    service = "s3"
    operation = "PutObject"
    limits = _BATCH
    keeps_order = False

    def __init__(self, name: str, *, prefix: str = "") -> None:
        self.name = name
        self.prefix = prefix

    def overhead_bytes(self, _: Event) -> int:
        """Return 1: the line break."""
        return 1

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Write all entries as one object."""
        import gzip  # noqa: PLC0415 - only this target compresses

        lines = "".join(f"{entry.text}\n" for entry in entries).encode()
        first, last = entries[0].event, entries[-1].event
        name = f"{first.sequence_number}-{last.sequence_number}.jsonl.gz"
        client.put_object(
            Bucket=self.name,
            Key=f"{self.prefix}{first.table}/{first.time:%Y/%m/%d}/{name}",
            # Without a time in it, so that the same lines are the same bytes.
            Body=gzip.compress(lines, mtime=0),
            ContentType="application/x-ndjson",
            ContentEncoding="gzip",
        )
        return {}
