"""`cdk-streams local`: an app on this machine, its consumers driven as Lambda drives them."""

from __future__ import annotations

from cdk_streams.cli._local.command import local

__all__ = ["local"]
