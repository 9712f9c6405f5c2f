"""What one replica does: its target, its transform, its rule for conflicts.

`TableReplica` writes them into the function's environment, from which they are read at each call:

| variable | meaning | left out |
|---|---|---|
| STREAM_REPLICA_TABLE | the target's name or ARN | required |
| STREAM_REPLICA_KEYS | the target's key attributes: `pk,sk` | those of the source |
| STREAM_REPLICA_REGION | the target's Region | the function's own |
| STREAM_REPLICA_ROLE_ARN | the role to assume for the target | the function's own role |
| STREAM_REPLICA_TRANSFORM | `module:function` | items are copied as they are |
| STREAM_REPLICA_SKIP_EXPIRED | `1`: deletes by time to live are not replicated | they are |
| STREAM_REPLICA_VERSION | the version attribute of a two-way replica | the replica is one-way |
| STREAM_REPLICA_CONCURRENCY | items written at a time | 16 |
| STREAM_REPLICA_NAME | the dimension of its metrics | no metrics are written |
"""

from __future__ import annotations

import os
from typing import NamedTuple

from lambda_runtime.replication._errors import ReplicaError

__all__ = ["Settings"]

_DEFAULT_CONCURRENCY = 16


class Settings(NamedTuple):
    """The settings of one replica.

    Attributes:
        table: The target's name or ARN.
        keys: The target's key attributes, the partition key first; empty means the source's.
        region: The target's Region; None means the function's own.
        role_arn: The role to assume before writing; None means the function's own role.
        transform: `module:function`, as `load_transform` takes it; None copies items unchanged.
        skip_expired: Whether deletes by DynamoDB's time to live are left out.
        version: The attribute by which two tables that replicate each other settle conflicts.
        concurrency: How many items are written at a time, 1 or more.
        name: The value of the metrics' dimension `Replica`; None writes no metrics.
    """

    table: str
    keys: tuple[str, ...] = ()
    region: str | None = None
    role_arn: str | None = None
    transform: str | None = None
    skip_expired: bool = False
    version: str | None = None
    concurrency: int = _DEFAULT_CONCURRENCY
    name: str | None = None

    @staticmethod
    def from_environment() -> Settings:
        """Read the variables that `TableReplica` sets.

        Raises:
            ReplicaError: The target is missing, or the concurrency is no number from 1.
        """
        read = os.environ.get
        table = read("STREAM_REPLICA_TABLE")
        if not table:
            raise ReplicaError(
                "STREAM_REPLICA_TABLE must name the table to write, got nothing; TableReplica "
                "sets it, another function sets it by itself"
            )
        concurrency = read("STREAM_REPLICA_CONCURRENCY") or str(_DEFAULT_CONCURRENCY)
        if not concurrency.isdecimal() or int(concurrency) < 1:
            raise ReplicaError(
                f"STREAM_REPLICA_CONCURRENCY must be a number from 1, got {concurrency!r}"
            )
        return Settings(
            table=table,
            keys=tuple(name for name in read("STREAM_REPLICA_KEYS", "").split(",") if name),
            region=read("STREAM_REPLICA_REGION") or None,
            role_arn=read("STREAM_REPLICA_ROLE_ARN") or None,
            transform=read("STREAM_REPLICA_TRANSFORM") or None,
            skip_expired=read("STREAM_REPLICA_SKIP_EXPIRED") == "1",
            version=read("STREAM_REPLICA_VERSION") or None,
            concurrency=int(concurrency),
            name=read("STREAM_REPLICA_NAME") or None,
        )
