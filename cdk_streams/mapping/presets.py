"""Presets: settings that belong together, by what a consumer is for.

StreamConsumer(self, "Search", table=orders, function=index, **LOW_LATENCY)
StreamConsumer(self, "Audit", table=orders, function=audit, **THROUGHPUT | {"batch_size": 500})
simulate(handler, records, settings=MappingSettings(**SAFE))
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, TypedDict

__all__ = ["LOW_LATENCY", "SAFE", "STRICT_ORDER", "THROUGHPUT", "Preset"]


class Preset(TypedDict, total=False):
    """The settings that presets choose, under the names of `MappingSettings`."""

    batch_size: int
    max_batching_window: timedelta
    parallelization_factor: int
    retry_attempts: int | None
    max_record_age: timedelta | None
    bisect_batch_on_error: bool
    report_batch_item_failures: bool


SAFE: Final[Preset] = {
    "bisect_batch_on_error": True,
    "report_batch_item_failures": True,
    # The waits double from 0.2 s. Lambda's cap on them is not recorded: with any that fits what is,
    # the last call comes 2 to 7 minutes after the first (decision record 26).
    "retry_attempts": 11,
    # Leaves six hours of DynamoDB's 24 in which a failed record can still be read back.
    "max_record_age": timedelta(hours=18),
}
"""The defaults of `StreamConsumer`: a poison record fails alone, within minutes, and is kept."""

STRICT_ORDER: Final[Preset] = {
    **SAFE,
    "parallelization_factor": 1,
    # A record that is set aside and handled later comes after newer ones of the same item, so
    # none is: the shard waits until it succeeds or DynamoDB trims it. Watch the iterator age.
    "retry_attempts": None,
    "max_record_age": None,
}
"""For strict order: no change follows a later one of its shard, so a failing record blocks it."""

THROUGHPUT: Final[Preset] = {
    **SAFE,
    # Fewer and fuller invocations: each costs a fixed time, of a target's round trip too.
    "batch_size": 1000,
    "max_batching_window": timedelta(seconds=5),
    # Ten batches of each shard at once; changes of one item stay in order.
    "parallelization_factor": 10,
}
"""For throughput: fewer and fuller invocations, each up to five seconds later."""

LOW_LATENCY: Final[Preset] = {
    **SAFE,
    # Small batches, so that a record waits for few others of its batch.
    "batch_size": 10,
    "max_batching_window": timedelta(0),
    "parallelization_factor": 10,
}
"""For latency: each record as soon as possible, at the price of more invocations."""
