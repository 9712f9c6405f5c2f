"""`TableView`: a consumer that keeps counts, sums or projections of a table in another table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Unpack

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cdk_streams._argument_checks import check_instance
from cdk_streams.constructs._bundle.shipped_handlers import (
    options_of_function,
    shipped_entry,
    user_function,
)
from cdk_streams.constructs._props import ConsumerOptions, FunctionOptions
from cdk_streams.constructs.consumer import StreamConsumer
from cdk_streams.constructs.function import StreamFunction
from cdk_streams.constructs.views._tables import (
    check_options,
    check_source,
    check_target,
    grant_write,
    marks_of,
)
from cdk_streams.errors import SettingsError, SourceError

__all__ = ["TableView", "ViewRebuild"]

_MEMORY_MB: Final = 512
_REBUILD: Final = "_REBUILD"


@dataclass(frozen=True, slots=True)
class ViewRebuild:
    """A view that is built from scratch beside the running one.

    Args:
        target: The table of the new view's items.
        view: The new view: `"handlers/totals.py:view"`.
        since: A moment after the deployment and five minutes before the backfill begins, with its
            zone. The stream brings what is written from then on, the backfill all that was before.

    """

    target: dynamodb.ITable
    view: str
    since: datetime


class TableView(StreamConsumer):
    """Counts and sums of a table's items by group, or its items under other keys.

    It is a `StreamConsumer` whose function, `<id>Function` beside it, ships with the library and
    keeps the view that a file of yours declares. Each change is applied once in effect, in one
    transaction with a mark of its item, so that retries, duplicates and redriven records leave the
    view what a plain recomputation gives. The marks are a table of the library's, `ViewMarks` in
    the scope of the target.

    Args:
        scope: The parent construct.
        id: The construct id within that scope.
        source: A table with a stream of new images (or of both), an imported one too.
        target: The table of the view's items, of this account and Region, kept by nothing else.
            Its key is what the view groups by.
        view: `"handlers/totals.py:view"`: a Python file and the name of the `View` or `Projection`
            in it, of `lambda_runtime.views`. The file ships with the function.
        since: For a view that was a `rebuild` less than 15 days ago: that rebuild's `since`.
        rebuild: A view to be built beside this one; deploy it, backfill it, then make its target,
            view and since those of this construct.
        function_options: Options of the `StreamFunction`, such as `memory_size` (512 MB).
        options: Everything that `StreamConsumer` takes besides `table` and `function`. A filter
            may ask for keys alone, because a view must see all changes of an item; for other
            attributes give the view a `where`.

    Raises:
        SettingsError: Options that Lambda refuses, or that would make the view wrong.
        SourceError: A source without new images, or a target that is the source or taken.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        source: dynamodb.ITable,
        target: dynamodb.ITable,
        view: str,
        since: datetime | None = None,
        rebuild: ViewRebuild | None = None,
        function_options: FunctionOptions | None = None,
        **options: Unpack[ConsumerOptions],
    ) -> None:
        check_source(scope, source)
        check_options(options)
        targets = {"": _Kept(target, view, since)}
        if rebuild is not None:
            check_instance(
                "rebuild", rebuild, ViewRebuild, "write ViewRebuild(target, view, since)"
            )
            targets[_REBUILD] = _Kept(rebuild.target, rebuild.view, rebuild.since)
            if rebuild.target is target:
                raise SourceError(
                    "target of a rebuild must be another table than the view's, got "
                    f"{target.node.path!r} as both"
                )
        for each in targets.values():
            check_target(scope, source, each.table)
        marks = {end: marks_of(each.table) for end, each in targets.items()}
        variables = {
            f"STREAM_VIEW{name}{end}": value
            for end, each in targets.items()
            for name, value in each.variables(marks[end]).items()
        }
        chosen: dict[str, Any] = {
            "memory_size": _MEMORY_MB,
            **options_of_function(function_options),
        }
        chosen["environment"] = {**variables, **(chosen.get("environment") or {})}
        users = {each.user.file: each.user for each in targets.values()}
        function = StreamFunction(
            scope,
            f"{id}Function",
            entry=shipped_entry(scope, "table_view", *users.values()),
            index="table_view.py",
            **chosen,
        )
        super().__init__(scope, id, table=source, function=function, **options)
        for end, each in targets.items():
            grant_write(function, each.table, marks[end])
        self._target, self._marks = target, marks[""]

    @property
    def target(self) -> dynamodb.ITable:
        """The table of the view's items, as given."""
        return self._target

    @property
    def marks(self) -> dynamodb.ITable:
        """The table of the marks: for each source item what it gives to the view."""
        return self._marks


class _Kept:
    """One view of the function: its target, its file, and when it begins."""

    def __init__(self, table: dynamodb.ITable, view: str, since: datetime | None) -> None:
        if since is not None and (not isinstance(since, datetime) or since.tzinfo is None):
            raise SettingsError(
                f"since must be a datetime with its zone, got {since!r}; pass tzinfo=UTC"
            )
        self.table = table
        self.user = user_function("view", view)
        self._since = since

    def variables(self, marks: dynamodb.ITable) -> dict[str, str]:
        """Return the function's environment variables, by the end of their names."""
        values = {
            "": self.user.imported_as,
            "_TARGET": self.table.table_name,
            "_MARKS": marks.table_name,
        }
        return values if self._since is None else {**values, "_SINCE": self._since.isoformat()}
