"""The settings of one event source mapping as a value, and Amazon's limits.

`MappingSettings` holds every property of `AWS::Lambda::EventSourceMapping` that a DynamoDB stream
takes, under CDK's names and with Lambda's own defaults. The constructs render it into a template,
the simulator runs it, and the command line reads it back from a template or from the Lambda API.

Every number that is Amazon's stands in `cdk_streams.mapping.limits`, once.
"""

from __future__ import annotations

from cdk_streams.mapping._destination_kinds import (
    DESTINATION_KINDS,
    DestinationKind,
    destination_kind,
    destination_names,
)
from cdk_streams.mapping._kinds import Reference, Seconds, StartingPosition, in_seconds
from cdk_streams.mapping._nested import MetricType, Pattern
from cdk_streams.mapping._settings import (
    PARTIAL_RESPONSE_VARIABLE,
    REJECT_QUEUE_VARIABLE,
    MappingSettings,
)
from cdk_streams.mapping._table_stream import TableStream, ViewType
from cdk_streams.mapping.limits import (
    FAILURE_OBJECTS,
    FULL_CPU_MEMORY_MB,
    GET_RECORDS_LIMIT,
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MAX_DURABLE_EXECUTION,
    MAX_FILTERS,
    MAX_FILTERS_RAISED,
    MAX_PATTERN_CHARACTERS,
    MAX_PAYLOAD_BYTES,
    MAX_READERS_PER_SHARD,
    MAX_READERS_PER_SHARD_GLOBAL_TABLE,
    MAX_RESPONSE_BYTES,
    MAX_WINDOW_STATE_BYTES,
    PARTITION_WRITE_UNITS,
    STREAM_RETENTION,
)

__all__ = [
    "DESTINATION_KINDS",
    "FAILURE_OBJECTS",
    "FULL_CPU_MEMORY_MB",
    "GET_RECORDS_LIMIT",
    "LAMBDA_DEFAULT_MEMORY_MB",
    "LAMBDA_DEFAULT_TIMEOUT",
    "MAX_DURABLE_EXECUTION",
    "MAX_FILTERS",
    "MAX_FILTERS_RAISED",
    "MAX_PATTERN_CHARACTERS",
    "MAX_PAYLOAD_BYTES",
    "MAX_READERS_PER_SHARD",
    "MAX_READERS_PER_SHARD_GLOBAL_TABLE",
    "MAX_RESPONSE_BYTES",
    "MAX_WINDOW_STATE_BYTES",
    "PARTIAL_RESPONSE_VARIABLE",
    "PARTITION_WRITE_UNITS",
    "REJECT_QUEUE_VARIABLE",
    "STREAM_RETENTION",
    "DestinationKind",
    "MappingSettings",
    "MetricType",
    "Pattern",
    "Reference",
    "Seconds",
    "StartingPosition",
    "TableStream",
    "ViewType",
    "destination_kind",
    "destination_names",
    "in_seconds",
]
