"""The handler of a `TableView`: which view, target and marks it has, its environment says."""

from __future__ import annotations

import os
from datetime import datetime
from importlib import import_module

from lambda_runtime._routing.router import Router
from lambda_runtime.views._contributions import ViewError
from lambda_runtime.views._projection import Projection
from lambda_runtime.views._view import View
from lambda_runtime.views._writer import ViewWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["MARKS", "REBUILD", "SINCE", "TARGET", "VIEW", "load_view", "view_handler"]

VIEW = "STREAM_VIEW"
"""Where the view is: `totals:view` is the name `view` in the module `totals`."""
TARGET = "STREAM_VIEW_TARGET"
"""The name of the target table."""
MARKS = "STREAM_VIEW_MARKS"
"""The name of the table of marks."""
SINCE = "STREAM_VIEW_SINCE"
"""`since` of `ViewWriter`, in ISO 8601; may be missing."""
REBUILD = "_REBUILD"
"""The end of the names of the same variables for the view that is built beside it."""


def view_handler(*, views: Any = None, client: Any = None) -> Callable[[Any, Any], dict[str, Any]]:
    """Return a Lambda handler that keeps the view which the environment names.

    Args:
        views: Views by their names in the environment, `{"totals:view": view}`, in place of the
            modules that would be imported; for tests.
        client: As for `ViewWriter`.

    The environment is read at each call: `STREAM_VIEW`, `STREAM_VIEW_TARGET`, `STREAM_VIEW_MARKS`,
    `STREAM_VIEW_SINCE`, and the same with `_REBUILD` for a second view, kept beside the first.
    """
    routers: dict[tuple[tuple[str, ...], ...], Router] = {}

    def handler(event: Any, context: Any = None) -> dict[str, Any]:
        asked = tuple(_asked(end) for end in ("", REBUILD) if end == "" or VIEW + end in os.environ)
        router = routers.get(asked)
        if router is None:
            router = routers[asked] = Router()
            for place, target, marks, since in asked:
                view = load_view(place) if views is None else views[place]
                starts = datetime.fromisoformat(since) if since else None
                router.aggregate(
                    ViewWriter(view, target=target, marks=marks, since=starts, client=client)
                )
        return router.handler(event, context)

    return handler


def _asked(end: str) -> tuple[str, ...]:
    names = (VIEW + end, TARGET + end, MARKS + end)
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ViewError(f"the environment must name the view and its tables: set {missing[0]}")
    return (*(os.environ[name] for name in names), os.environ.get(SINCE + end, ""))


def load_view(place: str) -> View | Projection:
    """Import a view: `totals:view` is the name `view` in the module `totals`.

    Raises:
        ViewError: It is no View and no Projection.
    """
    module, _, name = place.partition(":")
    view = getattr(import_module(module), name, None)
    if not isinstance(view, (View, Projection)):
        raise ViewError(
            f"a view must be a View or a Projection, named as module:name, got {place!r}"
        )
    return view
