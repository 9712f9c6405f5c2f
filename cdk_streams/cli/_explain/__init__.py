"""`cdk-streams explain`: what each mapping of a template does when something fails."""

from __future__ import annotations

from cdk_streams.cli._explain.command import explain

__all__ = ["explain"]
