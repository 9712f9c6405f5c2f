"""`cdk-streams size`: the settings of a consumer that keep up with its table, and their cost."""

from __future__ import annotations

from cdk_streams.cli._size.command import size

__all__ = ["size"]
