"""`cdk-streams tail`: the live changes of a stream, decoded."""

from __future__ import annotations

from cdk_streams.cli._tail.command import tail

__all__ = ["tail"]
