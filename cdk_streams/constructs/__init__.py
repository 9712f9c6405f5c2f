"""The constructs: a table with a stream, a function for it, and the consumer that joins them.

The only part of the library that imports `aws_cdk`.
"""

from __future__ import annotations

from cdk_streams.constructs._permissions.nag import nag_acknowledgements
from cdk_streams.constructs.alarms import Alarms
from cdk_streams.constructs.consumer import StreamConsumer
from cdk_streams.constructs.dashboard import StreamDashboard
from cdk_streams.constructs.failures import OnFailure
from cdk_streams.constructs.forwarding import StreamForwarder, targets
from cdk_streams.constructs.function import StreamFunction
from cdk_streams.constructs.replication import (
    Backfill,
    LastWriterWins,
    ReplicaTargetRole,
    TableReplica,
)
from cdk_streams.constructs.table import StreamTable
from cdk_streams.constructs.views import TableView, ViewRebuild

__all__ = [
    "Alarms",
    "Backfill",
    "LastWriterWins",
    "OnFailure",
    "ReplicaTargetRole",
    "StreamConsumer",
    "StreamDashboard",
    "StreamForwarder",
    "StreamFunction",
    "StreamTable",
    "TableReplica",
    "TableView",
    "ViewRebuild",
    "nag_acknowledgements",
    "targets",
]
