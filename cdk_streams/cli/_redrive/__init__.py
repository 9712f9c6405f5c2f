"""`cdk-streams redrive`: functions are called again with the records that failed."""

from __future__ import annotations

from cdk_streams.cli._redrive.command import redrive

__all__ = ["redrive"]
