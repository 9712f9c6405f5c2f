"""`cdk-streams check`: the checks on templates, for a terminal, a pipeline or a code host."""

from __future__ import annotations

from cdk_streams.cli._check.command import check

__all__ = ["check"]
