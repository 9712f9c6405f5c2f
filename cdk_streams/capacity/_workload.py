"""What a consumer has to do, and what it is given for that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cdk_streams._argument_checks import check_instance, number, whole_number
from cdk_streams.capacity._write_rate import WriteRate
from cdk_streams.errors import SourceError
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MAX_PAYLOAD_BYTES,
    MappingSettings,
    ViewType,
)
from cdk_streams.mapping.limits import MAX_MEMORY_MB, PARTITION_WRITE_UNITS

__all__ = ["ConsumerSize", "Workload"]

# A record's own JSON beside its images, and what DynamoDB's typed JSON adds to an item.
_RECORD_BYTES: Final = 600
_TYPED_JSON: Final = 1.3
_IMAGES: Final = {"KEYS_ONLY": 0, "NEW_IMAGE": 1, "OLD_IMAGE": 1, "NEW_AND_OLD_IMAGES": 2}
_WRITE_UNIT_BYTES: Final = 1024
_ENVELOPE_BYTES: Final = len('{"Records":[]}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a consumer has to do.

    Args:
        writes: Of the whole table, over time.
        item_bytes: Size of an item.
        record_ms: What a call takes for each record, in milliseconds.
        call_ms: What a call takes beside its records, in milliseconds.
        shards: Shards of the stream that are written to alike; None: as many as the highest rate
            needs partitions at least.
        failure_share: Share of the calls that fail as a whole, 0 up to 1.
        outage: How long every call fails, from the beginning on.
        matched_share: Share of the records that a filter lets through, above 0 to 1.
        view_type: What the records carry.
        record_bytes: Size of a record in a call's JSON; None: estimated from the item's.

    Raises:
        SourceError: A value out of its range, or of another kind.

    """

    writes: WriteRate
    item_bytes: int = 1000
    record_ms: float = 0.0
    call_ms: float = 0.0
    shards: int | None = None
    failure_share: float = 0.0
    outage: timedelta = timedelta(0)
    matched_share: float = 1.0
    view_type: ViewType = "NEW_AND_OLD_IMAGES"
    record_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of its range."""
        check_instance("writes", self.writes, WriteRate, "write WriteRate.constant(100)")
        whole_number("item_bytes", self.item_bytes, 1, 400 * 1024)
        number("record_ms", self.record_ms, 0, 900_000)
        number("call_ms", self.call_ms, 0, 900_000)
        if self.shards is not None:
            whole_number("shards", self.shards, 1, 100_000)
        number("failure_share", self.failure_share, 0, 0.99)
        number("matched_share", self.matched_share, 0.0001, 1)
        check_instance("outage", self.outage, timedelta, "write timedelta(hours=1)")
        if self.view_type not in _IMAGES:
            raise SourceError(
                f"view_type must be one of {', '.join(_IMAGES)}, got {self.view_type!r}"
            )

    @property
    def shard_count(self) -> int:
        """The shards given, or the partitions that the highest rate needs at least."""
        if self.shards is not None:
            return self.shards
        units = self.writes.peak * math.ceil(self.item_bytes / _WRITE_UNIT_BYTES)
        return max(1, math.ceil(units / PARTITION_WRITE_UNITS))

    @property
    def payload_bytes(self) -> int:
        """What a record takes of a call's JSON."""
        if self.record_bytes is not None:
            return self.record_bytes
        images = _IMAGES[self.view_type]
        return _RECORD_BYTES + round(images * self.item_bytes * _TYPED_JSON)

    @property
    def most_records_of_a_call(self) -> int:
        """How many records fit into the 6 MB of a call."""
        room = MAX_PAYLOAD_BYTES - _ENVELOPE_BYTES + 1
        return max(1, room // (self.payload_bytes + 1))

    def call_length_ms(self, records: int) -> int:
        """Return how long a call with so many records takes."""
        return round(self.call_ms + records * self.record_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSize:
    """The settings of a mapping, with the memory, timeout and concurrency of its function.

    Args:
        settings: The mapping's.
        memory_mb: The function's, 128 to 10,240.
        timeout: The function's, up to 15 minutes.
        reserved_concurrency: The function's, from 0; None: no limit of its own.

    Raises:
        SourceError: A value out of its range, or of another kind.

    """

    settings: MappingSettings
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB
    timeout: timedelta = LAMBDA_DEFAULT_TIMEOUT
    reserved_concurrency: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no function has."""
        check_instance("settings", self.settings, MappingSettings, "write MappingSettings()")
        whole_number("memory_mb", self.memory_mb, LAMBDA_DEFAULT_MEMORY_MB, MAX_MEMORY_MB)
        check_instance("timeout", self.timeout, timedelta, "write timedelta(seconds=60)")
        if self.reserved_concurrency is not None:
            whole_number("reserved_concurrency", self.reserved_concurrency, 0)
