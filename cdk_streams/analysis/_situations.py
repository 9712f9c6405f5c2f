"""A mapping in three situations: a poison record, an outage of its function, a slow handler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from cdk_streams.analysis._runnable import RunnableMapping
from cdk_streams.mapping import STREAM_RETENTION, MappingSettings
from cdk_streams.simulator import NO_FAULTS, TimelineEvent, World, in_order, insert, simulate

__all__ = ["Outage", "Poison", "SlowHandler", "in_outage", "with_poison", "with_slow_handler"]

_MOST_RECORDS: Final = 200
# Success, also of a batch in a tumbling window, whose state it carries on.
_SUCCESS: Final[dict[str, Any]] = {"batchItemFailures": [], "state": {}}
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """What one record that always fails does to its shard; no other record fails.

    Args:
        records: How many records were in the stream, the poison record in the middle.
        calls: Invocations that held the poison record.
        blocked: From the first of them to the moment when the shard goes on behind the record.
        discarded: Records that were discarded, the poison record among them.
        delivered: Failure records that reached a destination.
        lost: Failure records that did not, because there is none.
        trimmed: Records that left the stream before anything could be done with them.
        readable: How long the discarded records can still be read back from the stream after the
            failure record was made; None: no failure record was made.
        timeline: The run, event by event.

    """

    records: int
    calls: int
    blocked: timedelta
    discarded: int
    delivered: int
    lost: int
    trimmed: int
    readable: timedelta | None
    timeline: Sequence[TimelineEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What becomes of records written while every invocation fails; one record a second, one shard.

    Args:
        length: How long every invocation fails.
        written: Records written meanwhile.
        discarded: Those that were discarded: in a failure record that was delivered or lost.
        delivered: Failure records that reached a destination.
        lost: Failure records that did not.
        trimmed: Records that left the stream unhandled.
        caught_up: From the end of the outage until every record written before was done with.
        most_age: The largest iterator age.
        timeline: The run, event by event.

    """

    length: timedelta
    written: int
    discarded: int
    delivered: int
    lost: int
    trimmed: int
    caught_up: timedelta
    most_age: timedelta
    timeline: Sequence[TimelineEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHandler:
    """A handler that takes the same time for every batch.

    Args:
        length: How long a batch takes.
        times_out: Whether that reaches the function's timeout, so that every batch fails.
        per_second: Records that one shard gets through in a second; 0 when it times out.

    """

    length: timedelta
    times_out: bool
    per_second: float


def with_poison(mapping: RunnableMapping) -> Poison:
    """Run a batch and more, in which the record in the middle fails whenever it is handled."""
    settings = _for_every_record(mapping.settings)
    count = max(3, min(2 * settings.batch_size, _MOST_RECORDS))
    records = in_order(
        *(_record(number, mapping) for number in range(count)),
    )
    bad = records[min(settings.batch_size, count) // 2]["dynamodb"]["SequenceNumber"]

    def handler(event: Any, _context: Any) -> Any:
        if all(each["dynamodb"]["SequenceNumber"] != bad for each in event["Records"]):
            return _SUCCESS
        if settings.report_batch_item_failures:
            return {"batchItemFailures": [{"itemIdentifier": bad}], "state": {}}
        raise ValueError(bad)

    run = simulate(handler, records, settings=settings, timeout=mapping.timeout)
    calls = [each for each in run.invocations if bad in each.sequence_numbers]
    counts = run.counts
    made = [each.at_ms for each in run.timeline if each.kind in ("sent", "lost")]
    blocked = STREAM_RETENTION if counts.trimmed else calls[-1].at - calls[0].at
    return Poison(
        records=count,
        calls=len(calls),
        blocked=blocked,
        discarded=counts.failed + counts.age_exceeded,
        delivered=len(run.failures.delivered),
        lost=len(run.failures.lost),
        trimmed=counts.trimmed,
        readable=STREAM_RETENTION - timedelta(milliseconds=made[0]) if made else None,
        timeline=run.timeline,
    )


def in_outage(mapping: RunnableMapping, length: timedelta) -> Outage:
    """Write a record each second while every invocation fails, and go on until all are done."""
    settings = _for_every_record(mapping.settings)
    world = World(faults=NO_FAULTS)
    table = world.table(mapping.stream.table, keys=mapping.stream.keys)
    began = world.now

    def handler(_event: Any, _context: Any) -> Any:
        if world.now - began < length:
            raise ConnectionError
        return _SUCCESS

    consumer = world.consumer(
        mapping.function, handler, table=table, settings=settings, timeout=mapping.timeout
    )
    written = length // _SECOND
    for number in range(written):
        item = dict.fromkeys(mapping.stream.keys, f"item-{number}")
        world.call_after(number * _SECOND, partial(table.put, item))
    world.run()
    counts = consumer.counts
    calls = [each for each in world.timeline if each.age_ms is not None]
    last_ms = max((each.at_ms for each in world.timeline), default=0)
    return Outage(
        length=length,
        written=written,
        discarded=counts.failed + counts.age_exceeded,
        delivered=len(consumer.failures.delivered),
        lost=len(consumer.failures.lost),
        trimmed=counts.trimmed,
        caught_up=max(timedelta(milliseconds=last_ms) - length, timedelta(0)),
        most_age=timedelta(milliseconds=max((each.age_ms or 0 for each in calls), default=0)),
        timeline=world.timeline,
    )


def with_slow_handler(mapping: RunnableMapping, length: timedelta) -> SlowHandler:
    """Return what a shard gets through when each batch takes so long; full batches are assumed."""
    times_out = length >= mapping.timeout
    records = mapping.settings.batch_size * mapping.settings.parallelization_factor
    return SlowHandler(
        length=length,
        times_out=times_out,
        per_second=0.0 if times_out else records / length.total_seconds(),
    )


def _for_every_record(settings: MappingSettings) -> MappingSettings:
    """Return the settings of a mapping that is enabled and takes every record of the stream."""
    return replace(
        settings,
        filters=(),
        filter_encryption_key=None,
        starting_position="TRIM_HORIZON",
        enabled=True,
    )


def _record(number: int, mapping: RunnableMapping) -> dict[str, Any]:
    return insert(dict.fromkeys(mapping.stream.keys, f"item-{number}"), stream=mapping.stream)
