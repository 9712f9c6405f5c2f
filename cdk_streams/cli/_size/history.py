"""Where the writes of a day come from: a CSV file, or a table's history in CloudWatch."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cdk_streams.cli._command import CommandError

if TYPE_CHECKING:
    from cdk_streams.capacity import WriteRate
    from cdk_streams.mapping import ViewType

__all__ = ["read_csv", "table_history"]

_PERIOD_S: Final = 60
_DAY_S: Final = 86_400
_MOST_S: Final = 366 * _DAY_S
_UNIT_BYTES: Final = 1024
_COLUMNS: Final = 2


def read_csv(path: Path) -> WriteRate:
    """Read lines of `minute,writes a second`; a first line with names is passed over."""
    from cdk_streams.capacity import WriteRate  # noqa: PLC0415 - not for --help

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rate = WriteRate.by_minute(_rates(path, csv.reader(file)))
    except UnicodeDecodeError:
        raise CommandError(f"{path} must be a CSV file in UTF-8, got other bytes") from None
    except OSError as error:
        raise CommandError(f"{path} could not be read: {error.strerror}") from None
    if rate.seconds > _MOST_S:
        raise CommandError(
            f"{path} must hold the writes of at most 366 days, got {rate.seconds / _DAY_S:,.0f}; "
            "the first number of a line is a minute"
        )
    return rate


def _rates(path: Path, lines: Iterator[list[str]]) -> Iterator[tuple[float, float]]:
    for number, cells in enumerate(lines, 1):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            minute, rate = (float(cell) for cell in cells[:_COLUMNS])
        except ValueError:
            if number == 1:
                continue  # The names of the columns.
            raise CommandError(
                f"{path}, line {number}: each line must be a minute and writes a second, such as "
                f"480,900, got {','.join(cells)!r}"
            ) from None
        yield minute, rate


def table_history(options: Mapping[str, Any]) -> tuple[WriteRate, int, ViewType]:
    """Return a table's writes of the last hours, its shards now, and what its records carry."""
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 only here

    client = _aws.aws_of(options)
    name = options["table"]
    table = client("dynamodb").describe_table(TableName=name)["Table"]
    stream = table.get("LatestStreamArn")
    if stream is None or not table.get("StreamSpecification", {}).get("StreamEnabled"):
        raise CommandError(f"the table {name} must have a stream, got none; enable it first")
    writes = _consumed(client("cloudwatch"), name, options["hours"], options["item_bytes"])
    shards = _open_shards(client("dynamodbstreams"), stream)
    return writes, shards, table["StreamSpecification"]["StreamViewType"]


def _consumed(cloudwatch: Any, name: str, hours: float, item_bytes: int) -> WriteRate:
    """Return the writes a second of each minute; an item takes a unit for each begun 1,024 bytes.

    A minute without a data point had no write.
    """
    from cdk_streams.capacity import WriteRate  # noqa: PLC0415 - not for --help

    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = end - timedelta(minutes=round(hours * 60))
    metric = {
        "Namespace": "AWS/DynamoDB",
        "MetricName": "ConsumedWriteCapacityUnits",
        "Dimensions": [{"Name": "TableName", "Value": name}],
    }
    query = {"Id": "writes", "MetricStat": {"Metric": metric, "Period": _PERIOD_S, "Stat": "Sum"}}
    units = math.ceil(item_bytes / _UNIT_BYTES)
    rates = dict.fromkeys(range(round(hours * 60)), 0.0)
    more = dict[str, str]()
    while True:
        page = cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=start, EndTime=end, **more
        )
        for result in page["MetricDataResults"]:
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                minute = int((at - start).total_seconds() // _PERIOD_S)
                rates[minute] = value / _PERIOD_S / units
        if not page.get("NextToken"):
            return WriteRate.by_minute(rates.items())
        more = {"NextToken": page["NextToken"]}


def _open_shards(streams: Any, stream: str) -> int:
    """Return how many shards of the stream are written to."""
    count, more = 0, dict[str, str]()
    while True:
        page = streams.describe_stream(StreamArn=stream, **more)["StreamDescription"]
        ranges = [each["SequenceNumberRange"] for each in page["Shards"]]
        count += sum("EndingSequenceNumber" not in each for each in ranges)
        if not page.get("LastEvaluatedShardId"):
            return max(1, count)
        more = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
