"""Replicas of a table: the consumer that writes them, and the role for another account."""

from __future__ import annotations

from cdk_streams.constructs.replication.replica import Backfill, LastWriterWins, TableReplica
from cdk_streams.constructs.replication.target_role import ReplicaTargetRole

__all__ = [
    "Backfill",
    "LastWriterWins",
    "ReplicaTargetRole",
    "TableReplica",
]
