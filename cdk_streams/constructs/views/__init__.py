"""`TableView`: counts, sums and projections of a table, kept by its stream."""

from __future__ import annotations

from cdk_streams.constructs.views.view import TableView, ViewRebuild

__all__ = ["TableView", "ViewRebuild"]
