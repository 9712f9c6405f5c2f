"""Amazon's numbers: what a stream, an invocation and a mapping can hold, each written once.

The evidence of each is a row of docs/semantics.md. The ranges of the settings stand with their
declarations in `MappingSettings`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# What an invocation and a stream can hold.
MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""The event of a synchronous invocation, at most: a batch is cut before its event passes this."""
MAX_RESPONSE_BYTES: Final = MAX_PAYLOAD_BYTES + 100
"""The response of a synchronous invocation, at most: the number in Lambda's own error message."""
LAMBDA_DEFAULT_TIMEOUT: Final = timedelta(seconds=3)
"""The timeout of a function that names none."""
MAX_TIMEOUT: Final = timedelta(minutes=15)
"""The longest timeout that Lambda takes; the shortest is a second."""
MAX_DURABLE_EXECUTION: Final = timedelta(minutes=15)
"""The longest durable execution that a mapping starts; a longer one fails and is retried."""
LAMBDA_DEFAULT_MEMORY_MB: Final = 128
"""The memory of a function that names none; also the least that Lambda takes."""
MAX_MEMORY_MB: Final = 10_240
"""The most memory that Lambda takes."""
MAX_WINDOW_STATE_BYTES: Final = 1024 * 1024
"""The state of a tumbling window; a larger one ends the window early."""
STREAM_RETENTION: Final = timedelta(hours=24)
"""DynamoDB trims a stream record this long after it was written."""
MAX_READERS_PER_SHARD: Final = 2
"""Readers of one shard, at most: more of them throttle each other."""
MAX_READERS_PER_SHARD_GLOBAL_TABLE: Final = 1
"""The same for a global table, whose own replication is one of the readers."""
GET_RECORDS_LIMIT: Final = 1000
"""Records in one GetRecords answer, at most (or 1 MB)."""
PARTITION_WRITE_UNITS: Final = 1000
"""Write units that one partition of a table, and so one shard of its stream, takes in a second."""
FULL_CPU_MEMORY_MB: Final = 1769
"""The memory with which a function has one vCPU; below it has a part in proportion."""

# What a mapping can hold.
MAX_FILTERS: Final = 5
"""Filters of one mapping, at most, unless the quota of the account was raised."""
MAX_FILTERS_RAISED: Final = 10
"""The quota of filters for one mapping after a quota increase."""
MAX_PATTERN_CHARACTERS: Final = 4096
"""Characters of one filter pattern, at most."""
MAX_DESTINATION_CHARACTERS: Final = 350
"""Characters of the ARN of an on-failure destination, at most."""
FAILURE_OBJECTS: Final = "aws/lambda/"
"""The prefix of the key of every object that Lambda writes for a failed batch."""
