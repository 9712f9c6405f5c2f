"""A point-in-time export: its data files and the moment whose state they hold.

It is the folder that DynamoDB writes, `…/AWSDynamoDB/01693685827463-2d8752fd`, in S3 or copied to
this machine.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cdk_streams.errors import SourceError
from lambda_runtime.replication import ReplicaError, export_mark

__all__ = ["ExportFiles", "open_export"]

_SUMMARY = "manifest-summary.json"
_FILES = "manifest-files.json"


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """One export.

    Args:
        name: Where it is.
        files: The names of its data files.
        item_count: How many items they hold.
        mark: The guard's mark of its items: the moment of the export.
        open: Opens a data file, compressed as it is.

    """

    name: str
    files: tuple[str, ...]
    item_count: int
    mark: str
    open: Callable[[str], BinaryIO]


def open_export(where: str, s3: Callable[[], Any]) -> ExportFiles:
    """Find the data files of an export.

    Args:
        where: `s3://bucket/prefix/AWSDynamoDB/0123…`, or a folder of this machine.
        s3: Makes boto3's S3 client, when it is needed.

    Raises:
        SourceError: There is no complete export in DynamoDB JSON.

    """
    read = _from_s3(where, s3()) if where.startswith("s3://") else _from_folder(Path(where))
    try:
        with read(_SUMMARY) as stream:
            summary = json.load(stream)
        with read(_FILES) as stream:
            listed = stream.read().decode().splitlines()
        mark = export_mark(summary)
        files = [json.loads(line) for line in listed if line.strip()]
        names = tuple("data/" + each["dataFileS3Key"].rpartition("/")[2] for each in files)
    except ReplicaError as error:
        raise SourceError(str(error)) from error
    except (ValueError, KeyError, OSError) as error:
        raise SourceError(
            f"the export must be the folder with {_SUMMARY} and {_FILES}, got {where}: "
            f"{type(error).__name__} {error}; name the folder that DynamoDB wrote, "
            "AWSDynamoDB/<id of the export>"
        ) from error
    count = sum(each.get("itemCount", 0) for each in files)
    return ExportFiles(where, names, count, mark, read)


def _from_folder(folder: Path) -> Callable[[str], BinaryIO]:
    return lambda name: (folder / name).open("rb")


def _from_s3(where: str, s3: Any) -> Callable[[str], BinaryIO]:
    bucket, _, prefix = where.removeprefix("s3://").partition("/")

    def read(name: str) -> BinaryIO:
        key = f"{prefix.rstrip('/')}/{name}"
        try:
            body: BinaryIO = s3.get_object(Bucket=bucket, Key=key)["Body"]
        except Exception as error:
            response = getattr(error, "response", None) or {}
            if response.get("Error", {}).get("Code") in {"NoSuchKey", "NoSuchBucket", "404"}:
                raise FileNotFoundError(f"s3://{bucket}/{key}") from error
            raise
        return body

    return read
