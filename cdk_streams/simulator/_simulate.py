"""`simulate`: one event source mapping over given records, in virtual time."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, TypeAlias

from cdk_streams.errors import SourceError
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    PARTIAL_RESPONSE_VARIABLE,
    MappingSettings,
)
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions, EventSourceMapping, seeded_ids
from cdk_streams.simulator._engine.course import Course, Terms
from cdk_streams.simulator._engine.handler_calls import FunctionConfiguration, Handler
from cdk_streams.simulator._engine.shard_source import ShardSource, newest_ms
from cdk_streams.simulator._results import Invocation, Run

__all__ = ["DEFAULT_SHARD", "simulate"]

Length: TypeAlias = "timedelta | float"
"""A length of time: a `timedelta`, or seconds."""

Records: TypeAlias = "Iterable[dict[str, Any]] | Mapping[str, Iterable[dict[str, Any]]]"

DEFAULT_SHARD: Final = "shardId-00000001789654273755-3d110129"
"""The shard of records given as one list."""

_STREAM_ARN: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/label"
_COLLECT_AFTER: Final = 50_000


def simulate(
    handler: Handler,
    records: Records,
    *,
    settings: MappingSettings | None = None,
    start: datetime | float | None = None,
    parents: Mapping[str, Sequence[str]] | None = None,
    closed: bool = False,
    duration: Length | Callable[[dict[str, Any]], Length] = 0,
    timeout: Length = LAMBDA_DEFAULT_TIMEOUT,
    throttled: Callable[[timedelta], bool] | None = None,
    destination_denied: bool = False,
    function_name: str = "function",
    function_arn: str | None = None,
    executed_version: str = "$LATEST",
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB,
    seed: int | str = 0,
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS,
    until: Length | None = None,
    keep: int | None = None,
    observe: Callable[[Invocation], None] | None = None,
) -> Run:
    """Run a handler over stream records as an event source mapping would; no call sleeps.

        run = simulate(handler, [insert({"pk": "1"})], settings=MappingSettings(retry_attempts=2))
        assert run.invocations[0].outcome == "handled"

    The run ends when nothing is left to do: every record is handled, filtered, in a failure
    record, or older than the stream's 24 hours. The same arguments give the same run.

    Args:
        handler: Any Lambda handler, `handler(event, context)`. Each call gets an event of its
            own. `context.spend(seconds)` lets virtual time pass in it.
        records: Stream records as Lambda delivers them, oldest first; or `{shard_id: records}`.
            An iterator is read as the run goes on, so that a day of records need not fit memory.
        settings: The mapping's; left out, Lambda's defaults.
        start: When the mapping is enabled, with a time zone or in seconds since 1970. Left out:
            when the newest record was written, so that all are in the stream already; when an
            iterator is among the records, when the first was written. A record arrives when it
            was written, but no sooner than this.
        parents: `{shard_id: parents}` for shards that continue others. A parent ends with its last
            record, and its children are read after that.
        closed: Whether every shard ends with its last record, as at a shard's end. Otherwise
            they stay open, and a tumbling window waits for records that never come.
        duration: How long a call takes beside what the handler spends; or a function of the event.
            Lengths of time are a `timedelta` or seconds.
        timeout: The function's; a call that takes as long has failed.
        throttled: Whether a call at this time (since the start) is throttled.
        destination_denied: Whether `on_failure` refuses what is sent to it.
        function_name: As the context tells it.
        function_arn: As mapped, with its alias; failure records carry it.
        executed_version: The version behind an alias; failure records carry it.
        memory_mb: As the context tells it.
        seed: Another seed gives other request ids, and nothing else.
        assumptions: What is not recorded of Lambda.
        until: Where to stop at the latest, since the start.
        keep: How many of the newest invocations, failures and deliveries the run keeps; None: all.
        observe: Called with each invocation at its end, also with those not kept.

    Raises:
        SourceError: Records that cannot be a stream's: out of order, or without a number.
        SettingsError: Settings that cannot run: `on_failure` is a template's reference.
        FilterError: A filter that Lambda would refuse.

    """
    settings = MappingSettings() if settings is None else settings
    _check(handler, settings)
    shards = _shards(records)
    start_ms = _start_ms(start, shards)
    sources = {name: ShardSource(name, source, start_ms) for name, source in shards.items()}
    arn = function_arn or f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}"
    host = FunctionConfiguration(
        name=function_name,
        arn=arn,
        version=executed_version,
        timeout_ms=_milliseconds("timeout", timeout),
        memory_mb=memory_mb,
    )
    ids = seeded_ids(str(seed))
    mapping = EventSourceMapping(
        settings=settings,
        function_arn=arn,
        stream_arn=_stream_arn(sources),
        uuid=ids(0),
        executed_version=executed_version,
        ids=ids,
        assumptions=assumptions,
    )
    terms = Terms(
        handler=handler,
        host=host,
        duration_ms=_duration(duration),
        throttled=throttled,
        destination_denied=destination_denied,
        parents={child: tuple(each) for child, each in (parents or {}).items()},
        closed=closed,
        start_ms=start_ms,
        until_ms=None if until is None else start_ms + _milliseconds("until", until),
        keep=keep,
        observe=observe,
    )
    with _partial_response(asked=settings.report_batch_item_failures), _patient_collector():
        return Course(mapping, sources, terms).run()


def _shards(records: Records) -> dict[str, Iterable[dict[str, Any]]]:
    shards: dict[str, Iterable[dict[str, Any]]]
    if isinstance(records, Mapping):
        shards = {str(name): source for name, source in records.items()}
    else:
        shards = {DEFAULT_SHARD: records}
    for name, source in shards.items():
        if (
            name == "Records"
            or isinstance(source, (str, Mapping))
            or not isinstance(source, Iterable)
        ):
            raise SourceError(
                f"records must be a list or an iterator of stream records, or one for each shard, "
                f"got {name!r}: {type(source).__name__}; for an event, pass event['Records']"
            )
    return shards


def _start_ms(start: datetime | float | None, shards: dict[str, Iterable[dict[str, Any]]]) -> int:
    """Return when the run starts; an iterator shows its first record, and is put back together."""
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise SourceError(f"start must have a time zone, got {start!r}; add tzinfo=UTC")
        start = start.timestamp()
    if start is not None:
        if not isinstance(start, (int, float)):
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


def _stream_arn(sources: Mapping[str, ShardSource]) -> str:
    arns = (source.stream_arn for source in sources.values())
    return next((arn for arn in arns if arn), _STREAM_ARN)


def _duration(
    duration: Length | Callable[[dict[str, Any]], Length],
) -> Callable[[dict[str, Any]], int]:
    if callable(duration):
        return lambda event: _milliseconds("duration", duration(event))
    constant_ms = _milliseconds("duration", duration)
    return lambda _event: constant_ms


def _milliseconds(name: str, length: Any) -> int:
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds >= 0:
        raise SourceError(
            f"{name} must be a timedelta or a number of seconds from 0, got {length!r}"
        )
    return round(seconds * 1000)


def _check(handler: Any, settings: Any) -> None:
    """Name an argument of the wrong kind at once: inside a run it would look like a failed call."""
    if not callable(handler):
        raise SourceError(f"handler must be a function of event and context, got {handler!r}")
    if not isinstance(settings, MappingSettings):
        raise SourceError(
            f"settings must be MappingSettings, got {type(settings).__name__}; "
            "write MappingSettings(batch_size=…)"
        )


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Let cyclic garbage wait a little during a run.

    Records and their copies hold no cycles and go by reference counting. By default Python looks
    for cycles every 700 new containers, some 70 records, which was a quarter of a run's time.
    """
    first, *others = gc.get_threshold()
    gc.set_threshold(max(first, _COLLECT_AFTER) if first else 0, *others)
    try:
        yield
    finally:
        gc.set_threshold(first, *others)


@contextmanager
def _partial_response(*, asked: bool) -> Iterator[None]:
    """Tell the handler's runtime what its mapping reads, as the constructs do."""
    before = os.environ.pop(PARTIAL_RESPONSE_VARIABLE, None)
    if asked:
        os.environ[PARTIAL_RESPONSE_VARIABLE] = "1"
    try:
        yield
    finally:
        os.environ.pop(PARTIAL_RESPONSE_VARIABLE, None)
        if before is not None:
            os.environ[PARTIAL_RESPONSE_VARIABLE] = before
