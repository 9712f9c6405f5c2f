"""Views of a table, kept by its stream: counts and sums by group, and items under other keys.

    from lambda_runtime.views import Count, Sum, View

    view = View(group_by="customer", orders=Count(), total=Sum("total"))

It ships only with functions whose files import it. docs/data-movement.md is its page.
"""

from __future__ import annotations

from lambda_runtime.views._backfill import backfill_event
from lambda_runtime.views._contributions import ViewError
from lambda_runtime.views._handler import load_view, view_handler
from lambda_runtime.views._projection import Projection
from lambda_runtime.views._view import Count, Sum, View, recompute
from lambda_runtime.views._writer import ViewWriter

__all__ = [
    "Count",
    "Projection",
    "Sum",
    "View",
    "ViewError",
    "ViewWriter",
    "backfill_event",
    "load_view",
    "recompute",
    "view_handler",
]
