"""The errors of replication; each fails its record, so Lambda retries it and nothing is lost."""

from __future__ import annotations

from lambda_runtime.errors import StreamRuntimeError

__all__ = ["ReplicaError", "TransformError", "VersionError"]


class ReplicaError(StreamRuntimeError):
    """A replica's settings, role or target do not allow the write of a change."""


class TransformError(ReplicaError, ValueError):
    """A transform raised an exception, or returned something that the target cannot hold."""


class VersionError(ReplicaError, ValueError):
    """An item of a two-way replica was written without a new value of its version attribute."""
