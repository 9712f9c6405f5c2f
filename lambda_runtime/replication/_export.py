"""The files of a point-in-time export in S3: DynamoDB JSON, gzip, one item a line.

    {"Item": {"pk": {"S": "ORDER#1"}, "total": {"N": "12"}}}

`backfill_export_files` is the worker of a distributed backfill: one call handles some data files,
the same way as `cdk-streams backfill --export` does on one machine.
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

__all__ = ["backfill_export_files", "export_mark", "export_pages", "write_export_file"]

_PAGE_ITEMS = 500


def export_pages(stream: BinaryIO, name: str) -> Iterator[list[dict[str, Any]]]:
    """The items of one data file, some hundred at a time, in typed values.

    Args:
        stream: The compressed file.
        name: The file's name, for errors.

    Raises:
        ReplicaError: A line is no item of a full export in DynamoDB JSON.
    """
    page: list[dict[str, Any]] = []
    with gzip.open(stream) as lines:
        for number, line in enumerate(lines, 1):
            try:
                page.append(json.loads(line)["Item"])
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
        moment = datetime.fromisoformat(str(summary["exportTime"]))
    except (KeyError, ValueError):
        raise ReplicaError(
            "manifest-summary.json must say the exportTime, got none; name the folder that "
            "DynamoDB wrote"
        ) from None
    return backfill_mark(moment.timestamp())


def write_export_file(writer: BackfillWriter, stream: BinaryIO, name: str, mark: str) -> Counts:
    """Write the items of one data file; whoever is interrupted writes the file again."""
    counts = Counts()
    for page in export_pages(stream, name):
        counts = counts.plus(writer.write(page, mark))
    return counts


def backfill_export_files(event: dict[str, Any], _context: Any = None) -> dict[str, Any]:
    """Lambda's handler of a distributed backfill: some data files of one export.

    Args:
        event: `{"BatchInput": {"bucket": …, "exportTime": "2026-11-26T07:00:00Z"},
            "Items": [{"Key": "…/data/abc.json.gz"}, …]}`, as the state machine sends it.

    Returns:
        `{"read": 1000, "written": 990, "superseded": 10}`.

    Raises:
        ReplicaError: An item could not be written; the state machine tries the files again.
    """
    import boto3  # noqa: PLC0415 - as in every handler, when it is needed

    batch = event["BatchInput"]
    mark = export_mark({"exportTime": batch["exportTime"]})
    keys = tuple(os.environ["STREAM_REPLICA_SOURCE_KEYS"].split(","))
    writer = BackfillWriter(Settings.from_environment(), keys)
    s3 = boto3.client("s3")
    counts = Counts()
    for each in event["Items"]:
        body: Any = s3.get_object(Bucket=batch["bucket"], Key=each["Key"])["Body"]
        with body:
            counts = counts.plus(write_export_file(writer, body, each["Key"], mark))
    if counts.failures:
        raise ReplicaError(
            f"{len(counts.failures)} items could not be written; the first: {counts.failures[0]}"
        )
    return {"read": counts.read, "written": counts.written, "superseded": counts.superseded}
