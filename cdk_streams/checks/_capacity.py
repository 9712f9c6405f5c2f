"""Rules about size and speed: time, memory and concurrency against what one batch may need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_streams.checks._facts import Consumer
from cdk_streams.checks._rule import Rule, rule
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MAX_DURABLE_EXECUTION,
)

__all__ = ["RULES"]

LARGE_BATCH: Final = 1000


@rule(
    "ConcurrencyBelowFactor",
    reason="invocations are throttled, and their records age meanwhile",
    fix="Reserve parallelization_factor times the number of shards, or reserve nothing",
)
def concurrency_below_factor(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or function is None or function.reserved_concurrency is None:
        return None
    if function.reserved_concurrency >= settings.parallelization_factor:
        return None
    return (
        f"reserved concurrency is {function.reserved_concurrency}, "
        f"one shard alone needs {settings.parallelization_factor}"
    )


@rule(
    "WindowAboveTimeout",
    reason="records gather for longer than the function may take to handle them, so a steady "
    "stream of slow ones times out",
    fix="Raise the timeout to the batching window or more, or shorten the window",
)
def window_above_timeout(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or function is None or function.timeout is None:
        return None
    if settings.max_batching_window <= function.timeout:
        return None
    return (
        f"max_batching_window is {settings.max_batching_window.total_seconds():g} s, "
        f"the timeout {function.timeout.total_seconds():g} s"
    )


@rule(
    "TimeoutOfOneRequest",
    reason="a slow batch times out, which fails it as a whole",
    fix="Set the function's timeout to what a whole batch may take, such as 60 seconds",
)
def timeout_of_one_request(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or function is None or function.timeout is None:
        return None
    if function.timeout > LAMBDA_DEFAULT_TIMEOUT or settings.batch_size == 1:
        return None
    return (
        f"the timeout is {function.timeout.total_seconds():g} s "
        f"for up to {settings.batch_size} records"
    )


@rule(
    "TimeoutReachesRecordAge",
    reason="a batch that times out once is too old to be tried again",
    fix="Raise max_record_age well above the timeout",
)
def timeout_reaches_record_age(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or function is None or function.timeout is None:
        return None
    age = settings.max_record_age
    if age is None or function.timeout < age:
        return None
    return (
        f"the timeout is {function.timeout.total_seconds():g} s, "
        f"max_record_age {age.total_seconds():g} s"
    )


@rule(
    "MemoryOfOneRequest",
    reason="a batch of a thousand records or more may be 6 MB of JSON, several times that once "
    "decoded, which 128 MB do not hold",
    fix="Give the function 256 MB or more, or set a batch_size below 1,000",
)
def memory_of_one_request(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or function is None or function.memory_mb is None:
        return None
    if function.memory_mb > LAMBDA_DEFAULT_MEMORY_MB or settings.batch_size < LARGE_BATCH:
        return None
    return f"the memory is {function.memory_mb} MB for up to {settings.batch_size:,} records"


@rule(
    "DurableExecutionTooLong",
    reason="a durable execution that a mapping starts runs for 15 minutes at most, then it fails "
    "and is retried",
    fix="Set the execution timeout of DurableConfig to 15 minutes or less",
)
def durable_execution_too_long(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    function = consumer.function
    if function is None or function.durable_timeout is None:
        return None
    if function.durable_timeout <= MAX_DURABLE_EXECUTION:
        return None
    minutes = function.durable_timeout.total_seconds() / 60
    return f"the execution timeout of the durable {function.name} is {minutes:g} minutes"


RULES: Final[tuple[Rule, ...]] = (
    concurrency_below_factor,
    window_above_timeout,
    timeout_of_one_request,
    timeout_reaches_record_age,
    memory_of_one_request,
    durable_execution_too_long,
)
