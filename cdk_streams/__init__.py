"""DynamoDB Streams for the AWS CDK: constructs, settings and filters as values, a simulator.

    import cdk_streams as streams

    orders = streams.StreamTable(self, "Orders", partition_key=...)
    audit = streams.StreamFunction(self, "AuditFunction", entry="handlers/audit.py")
    streams.StreamConsumer(self, "Audit", table=orders, function=audit)

Each name is loaded when it is first used (PEP 562): importing `aws_cdk` starts a Node process,
which handler tests, the simulator and the command line must not pay for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.constructs import (
        Alarms,
        Backfill,
        LastWriterWins,
        OnFailure,
        ReplicaTargetRole,
        StreamConsumer,
        StreamDashboard,
        StreamForwarder,
        StreamFunction,
        StreamTable,
        TableReplica,
        TableView,
        ViewRebuild,
        nag_acknowledgements,
        targets,
    )
    from cdk_streams.errors import FilterError, SettingsError, SourceError, StreamsError
    from cdk_streams.filters import EACH, Filter, Keys, NewImage, OldImage
    from cdk_streams.mapping import MappingSettings
    from cdk_streams.mapping.presets import LOW_LATENCY, SAFE, STRICT_ORDER, THROUGHPUT

__all__ = [
    "EACH",
    "LOW_LATENCY",
    "SAFE",
    "STRICT_ORDER",
    "THROUGHPUT",
    "Alarms",
    "Backfill",
    "Filter",
    "FilterError",
    "Keys",
    "LastWriterWins",
    "MappingSettings",
    "NewImage",
    "OldImage",
    "OnFailure",
    "ReplicaTargetRole",
    "SettingsError",
    "SourceError",
    "StreamConsumer",
    "StreamDashboard",
    "StreamForwarder",
    "StreamFunction",
    "StreamTable",
    "StreamsError",
    "TableReplica",
    "TableView",
    "ViewRebuild",
    "nag_acknowledgements",
    "targets",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.constructs": (
                "Alarms Backfill LastWriterWins OnFailure ReplicaTargetRole StreamConsumer "
                "StreamDashboard StreamForwarder StreamFunction StreamTable TableReplica TableView "
                "nag_acknowledgements targets ViewRebuild"
            ),
            "cdk_streams.errors": "FilterError SettingsError SourceError StreamsError",
            "cdk_streams.filters": "EACH Filter Keys NewImage OldImage",
            "cdk_streams.mapping": "MappingSettings",
            "cdk_streams.mapping.presets": "LOW_LATENCY SAFE STRICT_ORDER THROUGHPUT",
        },
    )
