"""`cdk-streams simulate`: saved or made records through the simulator of Lambda's poller."""

from __future__ import annotations

from cdk_streams.cli._simulate.command import simulate

__all__ = ["simulate"]
