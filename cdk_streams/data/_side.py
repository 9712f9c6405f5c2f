"""One side of a backfill or a comparison: a table, its key attributes, and its client."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from cdk_streams._argument_checks import number, whole_number
from cdk_streams.errors import SourceError

__all__ = [
    "MOST_SEGMENTS",
    "Attributes",
    "DynamoDBClient",
    "Page",
    "Side",
    "check_scan",
    "scan_segment",
    "side_of",
]

Attributes = dict[str, dict[str, Any]]
"""An item or key in typed values, as boto3's client takes it."""
_BATCH_KEYS = 100
MOST_SEGMENTS: Final = 1_000
"""Segments that are scanned at a time, at most; DynamoDB itself takes up to 1,000,000."""


class DynamoDBClient(Protocol):
    """The methods of boto3's DynamoDB client that are called; `FakeDynamoDB` has them too."""

    def scan(self, **request: Any) -> Any: ...
    def batch_get_item(self, **request: Any) -> Any: ...
    def put_item(self, **request: Any) -> Any: ...
    def batch_execute_statement(self, **request: Any) -> Any: ...
    def describe_table(self, **request: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Side:
    """The source or the target of a backfill or a comparison; `side_of` makes one.

    Args:
        client: A client of the table's Region and account.
        table: The table's name or ARN.
        keys: Its key attributes, the partition key first.
        item_count: About how many items it holds: DynamoDB counts every six hours.
        arn: The table's ARN, as far as it is known.

    """

    client: Any
    table: str
    keys: tuple[str, ...]
    item_count: int = 0
    arn: str = ""

    @property
    def origin(self) -> str:
        """The table as a two-way replica names it: `region/account/table`."""
        parts = self.arn.split(":")
        name = self.table.rpartition("/")[2]
        return "/".join((*parts[3:5], name)) if len(parts) > 1 else name

    def key_of(self, item: Attributes) -> Attributes:
        """The key of an item of this table."""
        return {name: item[name] for name in self.keys}

    def get(self, keys: Sequence[Attributes]) -> list[Attributes]:
        """The items with these keys that are there, read consistently, in any order."""
        found: list[Attributes] = []
        for start in range(0, len(keys), _BATCH_KEYS):
            left: Any = {
                self.table: {
                    "Keys": list(keys[start : start + _BATCH_KEYS]),
                    "ConsistentRead": True,
                }
            }
            pause_s = 0.05
            while left:
                answer = self.client.batch_get_item(RequestItems=left)
                for items in answer["Responses"].values():
                    found += items
                left = answer.get("UnprocessedKeys")
                if left:  # The table is throttled; the client itself does not retry these.
                    time.sleep(pause_s)
                    pause_s = min(pause_s * 2, 5)
        return found


class Page(NamedTuple):
    """One page of a scan.

    `read_at_s` is a moment before the page was read, in seconds since 1970; `next_key` is where
    the segment goes on, None at its end.
    """

    items: list[Attributes]
    read_at_s: float
    next_key: Attributes | None


def check_scan(segments: Any, lag_s: Any, rounds: Any) -> None:
    """Refuse what would compare nothing at all, or wait for no time.

    Raises:
        SourceError: Segments, lag or rounds out of range.

    """
    whole_number("segments", segments, 1, MOST_SEGMENTS)
    number("lag_s", lag_s, 0, math.inf)
    whole_number("rounds", rounds, 0)


def side_of(client: DynamoDBClient, table: str) -> Side:
    """Describe a table as the source or the target of a backfill or a comparison.

    Raises:
        SourceError: There is no such table.

    """
    try:
        described = client.describe_table(TableName=table)["Table"]
    except Exception as error:
        response = getattr(error, "response", None) or {}
        if response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
        raise SourceError(
            f"the table must exist, got {table!r}; check its name, Region and account"
        ) from error
    schema = sorted(described["KeySchema"], key=lambda each: each["KeyType"] != "HASH")
    return Side(
        client,
        table,
        tuple(each["AttributeName"] for each in schema),
        described.get("ItemCount", 0),
        described.get("TableArn", ""),
    )


def scan_segment(
    side: Side, segment: int, segments: int, start: Attributes | None = None, **options: Any
) -> Iterator[Page]:
    """Read one of a table's segments, page by page.

    Args:
        side: The table.
        segment: Which one, from 0.
        segments: How many there are.
        start: The `next_key` of the last page that is done with; None begins the segment.
        options: More arguments of the scan, such as `ConsistentRead`.

    """
    request: dict[str, Any] = {"TableName": side.table, **options}
    if segments > 1:
        request |= {"Segment": segment, "TotalSegments": segments}
    while True:
        if start is not None:
            request["ExclusiveStartKey"] = start
        read_at_s = time.time()
        answer = side.client.scan(**request)
        start = answer.get("LastEvaluatedKey")
        yield Page(answer["Items"], read_at_s, start)
        if start is None:
            return
