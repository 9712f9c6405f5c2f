"""The arguments of `simulate` as the engine takes them: shards by name, times in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, TypeAlias

from cdk_streams._argument_checks import check_instance
from cdk_streams.errors import SourceError
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Assumptions
from cdk_streams.simulator._dynamodb.shards import FIRST_SHARD
from cdk_streams.simulator._engine.given_records import GivenShard, newest_ms

__all__ = [
    "Length",
    "Records",
    "check_arguments",
    "given_shards",
    "milliseconds",
    "milliseconds_of_event",
    "stream_arn_of",
]

Length: TypeAlias = "timedelta | float"
"""A length of time: a `timedelta`, or seconds."""

Records: TypeAlias = "Iterable[dict[str, Any]] | Mapping[str, Iterable[dict[str, Any]]]"

_STREAM_ARN: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/label"


def given_shards(
    records: Records, start: datetime | float | None
) -> tuple[dict[str, GivenShard], int]:
    """Return the shards by name, and when the run starts."""
    given = _by_shard(records)
    start_ms = _start_ms(start, given)
    return {name: GivenShard(name, each, start_ms) for name, each in given.items()}, start_ms


def _by_shard(records: Records) -> dict[str, Iterable[dict[str, Any]]]:
    """Return the records of each shard; a list or an iterator is a stream of one shard."""
    shards: dict[str, Iterable[dict[str, Any]]]
    if isinstance(records, Mapping):
        shards = {str(name): source for name, source in records.items()}
    else:
        shards = {FIRST_SHARD: records}
    for name, source in shards.items():
        if (
            name == "Records"
            or isinstance(source, (str, Mapping))
            or not isinstance(source, Iterable)
        ):
            raise SourceError(
                f"records must be a list or an iterator of stream records, or one for each shard, "
                f"got {type(source).__name__}{'' if source is records else f' for {name!r}'}; for "
                "an event, pass event['Records']"
            )
    return shards


def _start_ms(start: datetime | float | None, shards: dict[str, Iterable[dict[str, Any]]]) -> int:
    """Return when the run starts; the first record of an iterator is read for it and put back."""
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise SourceError(f"start must have a time zone, got {start!r}; add tzinfo=UTC")
        start = start.timestamp()
    if start is not None:
        is_number = isinstance(start, (int, float)) and not isinstance(start, bool)
        if not is_number or not math.isfinite(start):
            raise SourceError(
                f"start must be a datetime with a time zone or seconds since 1970, got {start!r}"
            )
        return round(start * 1000)
    if all(isinstance(source, Sequence) for source in shards.values()):
        newest = [newest_ms(source) for source in shards.values() if isinstance(source, Sequence)]
        return max((each for each in newest if each is not None), default=0)
    firsts: list[int] = []
    for name, source in shards.items():
        iterator = iter(source)
        head = list(islice(iterator, 1))
        shards[name] = chain(head, iterator)
        firsts += [each for each in [newest_ms(head)] if each is not None]
    return min(firsts, default=0)


def milliseconds_of_event(
    duration: Length | Callable[[dict[str, Any]], Length],
) -> int | Callable[[dict[str, Any]], int]:
    """Return how long a call takes, or what says so of its event."""
    if callable(duration):
        return lambda event: milliseconds("duration", duration(event))
    return milliseconds("duration", duration)


def milliseconds(name: str, length: Any) -> int:
    """Return a length of time in whole milliseconds."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SourceError(
            f"{name} must be a timedelta or a number of seconds from 0, got {length!r}"
        )
    return round(seconds * 1000)


def check_arguments(handler: Any, settings: Any, assumptions: Any) -> None:
    """Name an argument of the wrong kind at once: inside a run it would look like a failed call."""
    if not callable(handler):
        raise SourceError(
            f"handler must be a function of event and context, got {type(handler).__name__}; the "
            "handler comes first: simulate(handler, records), and of a Router it is on.handler"
        )
    check_instance("settings", settings, MappingSettings, "write MappingSettings(batch_size=…)")
    check_instance("assumptions", assumptions, Assumptions, "write Assumptions(read_ahead=…)")


def stream_arn_of(shards: Mapping[str, GivenShard]) -> str:
    """Return the ARN that the records name; a made up one for records that name none."""
    arns = (shard.stream_arn for shard in shards.values())
    return next((arn for arn in arns if arn), _STREAM_ARN)
