"""The stream records that a simulation runs: read from a file, or made."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cdk_streams.errors import SourceError

if TYPE_CHECKING:
    from cdk_streams.mapping import TableStream

__all__ = ["made_records", "saved_records", "sequence_number_at"]

Record = dict[str, Any]

# The longest that DynamoDB documents.
_DIGITS: Final = 40


def made_records(count: int, stream: TableStream) -> list[Record]:
    """Make so many inserts, each of an item of its own, written at one moment."""
    from cdk_streams.simulator import in_order, insert  # noqa: PLC0415 - not for --help

    return in_order(
        *(
            insert(dict.fromkeys(stream.keys, f"item-{number}"), stream=stream)
            for number in range(1, count + 1)
        )
    )


def saved_records(given: str) -> list[Record]:
    """Read records from a file or, of `-`, standard input, into the order of their stream."""
    name = "standard input" if given == "-" else given
    text = _text(given, name)
    if not text.strip():
        raise SourceError(f"{name} must hold stream records, got nothing: it is empty")
    try:
        loaded = json.loads(text)
    except RecursionError:
        raise SourceError(f"{name} is nested too deeply to hold stream records") from None
    except ValueError:
        loaded = _lines(text, name)
    if isinstance(loaded, Mapping):
        loaded = loaded.get("Records", [loaded])
    records = loaded if isinstance(loaded, list) else []
    if not records or not all(map(_is_record, records)):
        raise SourceError(
            f"{name} must hold stream records: an event with Records, a list, or one on each line, "
            "each with dynamodb.SequenceNumber"
        )
    if any(len(each["dynamodb"]["SequenceNumber"]) > _DIGITS for each in records):
        raise SourceError(
            f"{name} must hold records with sequence numbers of at most {_DIGITS} digits, got a "
            "longer one"
        )
    return sorted(records, key=lambda each: int(each["dynamodb"]["SequenceNumber"]))


def sequence_number_at(place: int, records: Sequence[Record]) -> str:
    """Return the sequence number of the record at a place; the first is 1."""
    if place > len(records):
        raise click.UsageError(f"--poison must be 1 to {len(records):,}, got {place:,}")
    number: str = records[place - 1]["dynamodb"]["SequenceNumber"]
    return number


def _text(given: str, name: str) -> str:
    try:
        content = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(
            f"{name} must be a file of stream records in JSON, got what is no UTF-8 text"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: no name of a file.
        why = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{name} must be a file of stream records, got: {why}") from None


def _lines(text: str, name: str) -> list[Any]:
    loaded = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            loaded.append(json.loads(line))
        except RecursionError:
            raise SourceError(f"line {number} of {name} is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{name} must be JSON, or JSON on each line, got line {number}: "
                f"{error.msg} at column {error.colno}"
            ) from None
    return loaded


def _is_record(record: Any) -> bool:
    change = record.get("dynamodb") if isinstance(record, Mapping) else None
    number = change.get("SequenceNumber") if isinstance(change, Mapping) else None
    return isinstance(number, str) and number.isdecimal() and number.isascii()
