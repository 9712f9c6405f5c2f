"""`cdk-streams init`: a new app in a folder, with a table, a consumer and a test."""

from __future__ import annotations

from cdk_streams.cli._init.command import init

__all__ = ["init"]
