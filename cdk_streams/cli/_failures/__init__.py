"""`cdk-streams failures`: the failure records that wait, and what is behind one of them."""

from __future__ import annotations

from cdk_streams.cli._failures.command import failures

__all__ = ["failures"]
