"""The files of a point-in-time export in S3: DynamoDB JSON, gzip, one item a line.

    {"Item": {"pk": {"S": "ORDER#1"}, "total": {"N": "12"}}}

`backfill_export_file` is the worker of a distributed backfill: it writes one data file in the way
in which `cdk-streams backfill --export` does on one machine.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from lambda_runtime.replication._backfill import BackfillWriter, Counts
from lambda_runtime.replication._errors import ReplicaError
from lambda_runtime.replication._requests import backfill_mark
from lambda_runtime.replication._settings import Settings

__all__ = ["backfill_export_file", "export_mark", "export_pages", "written_export_file"]

_PAGE_ITEMS = 500
# Enough for the slowest page; the state machine then calls again for the rest of the file.
_RESERVE_MS = 60_000
_COUNTED = ("read", "written", "superseded")


def export_pages(stream: BinaryIO, name: str, line: int = 0) -> Iterator[list[dict[str, Any]]]:
    """The items of one data file, some hundred at a time, in typed values.

    Args:
        stream: The compressed file.
        name: The file's name, for errors.
        line: How many lines are skipped.

    Raises:
        ReplicaError: A line is no item of a full export in DynamoDB JSON.
    """
    page: list[dict[str, Any]] = []
    with gzip.open(stream) as lines:
        for number, text in enumerate(lines, 1):
            if number <= line:
                continue
            try:
                page.append(json.loads(text)["Item"])
            except (ValueError, KeyError, TypeError):
                raise ReplicaError(
                    f"{name}, line {number}: must hold an item as DynamoDB JSON; export the "
                    "whole table (FULL_EXPORT, DYNAMODB_JSON)"
                ) from None
            if len(page) == _PAGE_ITEMS:
                yield page
                page = []
    if page:
        yield page


def export_mark(summary: dict[str, Any]) -> str:
    """The mark of the items of an export: the moment whose state it holds.

    Args:
        summary: `manifest-summary.json`, parsed.

    Raises:
        ReplicaError: The export is incremental, or in another format.
    """
    kind = summary.get("exportType", "FULL_EXPORT")
    form = summary.get("outputFormat", "DYNAMODB_JSON")
    if (kind, form) != ("FULL_EXPORT", "DYNAMODB_JSON"):
        raise ReplicaError(
            f"the export must be a FULL_EXPORT in DYNAMODB_JSON, got {kind} in {form}"
        )
    try:
        given = summary["exportTime"]
        if isinstance(given, (int, float)):
            return backfill_mark(given)
        moment = datetime.fromisoformat(str(given))
    except (KeyError, ValueError):
        raise ReplicaError(
            "manifest-summary.json must say the exportTime, got none; name the folder that "
            "DynamoDB wrote"
        ) from None
    return backfill_mark(moment.timestamp())


def backfill_export_file(event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Lambda's handler of a distributed backfill: one data file, as far as the time reaches.

    Args:
        event: `{"bucket": "exports", "key": "…/data/abc.json.gz", "line": 0,
            "exportTime": "2026-11-26T07:00:00Z"}`, as the state machine sends it.
        context: Lambda's, for its deadline; None has none.

    Returns:
        The event with `line` where the file goes on, -1 at its end, and the counts so far:
        `{…, "line": -1, "read": 1000, "written": 990, "superseded": 10}`.

    Raises:
        ReplicaError: An item could not be written; the state machine tries the file again.
    """
    import boto3  # noqa: PLC0415 - as in every handler, when it is needed

    keys = tuple(os.environ["STREAM_REPLICA_SOURCE_KEYS"].split(","))
    writer = BackfillWriter(Settings.from_environment(), keys)
    body: Any = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])["Body"]
    with body:
        return written_export_file(event, writer, body, context)


def written_export_file(
    event: dict[str, Any], writer: BackfillWriter, stream: BinaryIO, context: Any
) -> dict[str, Any]:
    """Write the pages of one file from `event["line"]` on; see `backfill_export_file`."""
    mark = export_mark({"exportTime": event["exportTime"]})
    remaining_ms = getattr(context, "get_remaining_time_in_millis", lambda: _RESERVE_MS + 1)
    begin = line = int(event["line"])
    counts = Counts()
    for page in export_pages(stream, event["key"], begin):
        if remaining_ms() <= _RESERVE_MS and line > begin:
            break
        counts = counts.plus(writer.write(page, mark))
        line += len(page)
        if counts.failures:
            raise ReplicaError(
                f"{event['key']}: items could not be written; the first: {counts.failures[0]}"
            )
    else:
        line = -1
    done = {name: event.get(name, 0) + getattr(counts, name) for name in _COUNTED}
    return {**event, "line": line, **done}
