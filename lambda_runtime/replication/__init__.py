"""Copies of a table: each change of the source becomes a guarded write of the target.

    from lambda_runtime.replication import Replica, Settings

    replica = Replica(Settings(table="OrdersCopy", region="eu-central-1"))
    handler = replica.handler          # or replica.write(change) inside a Router

A write carries the sequence number of its change into the target item, on the condition that the
item holds no newer one: retries, duplicates and records redriven days later change nothing.
`TableReplica` of cdk_streams deploys this; a function that does not import it does not carry it.
"""

from __future__ import annotations

from lambda_runtime._tables.conditional_writes import DELETED, SEQUENCE
from lambda_runtime.replication._backfill import BackfillWriter, Counts
from lambda_runtime.replication._client import use_client
from lambda_runtime.replication._errors import ReplicaError, TransformError, VersionError
from lambda_runtime.replication._export import (
    backfill_export_file,
    export_mark,
    export_pages,
)
from lambda_runtime.replication._replica import Replica, handler_from_environment
from lambda_runtime.replication._requests import (
    ORIGIN,
    OWNER,
    VERSION,
    backfill_mark,
    conditional_put,
    expiry,
    is_guard_attribute,
    put_request,
    tombstone_request,
)
from lambda_runtime.replication._settings import Settings
from lambda_runtime.replication._transform import (
    Transform,
    load_transform,
    owner_text,
    target_items,
)
from lambda_runtime.replication._two_way import put_version_request

__all__ = [
    "DELETED",
    "ORIGIN",
    "OWNER",
    "SEQUENCE",
    "VERSION",
    "BackfillWriter",
    "Counts",
    "Replica",
    "ReplicaError",
    "Settings",
    "Transform",
    "TransformError",
    "VersionError",
    "backfill_export_file",
    "backfill_mark",
    "conditional_put",
    "expiry",
    "export_mark",
    "export_pages",
    "handler_from_environment",
    "is_guard_attribute",
    "load_transform",
    "owner_text",
    "put_request",
    "put_version_request",
    "target_items",
    "tombstone_request",
    "use_client",
]
