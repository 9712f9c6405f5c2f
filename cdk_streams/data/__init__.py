"""The data of replicas and views: backfills of what a table already holds, and comparison.

    source, target = Side(client, "Orders", ("pk",)), Side(client, "OrdersCopy", ("pk",))
    result = backfill(source, target, progress_file=Path("orders.progress"))
    report = compare(source, target)

Plans and their execution are apart: `compare` only reads, `repair` writes what it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.data._comparison import Comparison, Difference, compare
    from cdk_streams.data._export_files import ExportFiles, open_export
    from cdk_streams.data._rate_limit import RateLimit
    from cdk_streams.data._repair import RepairResult, repair
    from cdk_streams.data._side import Side, side_of
    from cdk_streams.data._table_backfill import BackfillResult, backfill, backfill_export
    from cdk_streams.data._views import backfill_view, compare_view

__all__ = [
    "BackfillResult",
    "Comparison",
    "Difference",
    "ExportFiles",
    "RateLimit",
    "RepairResult",
    "Side",
    "backfill",
    "backfill_export",
    "backfill_view",
    "compare",
    "compare_view",
    "open_export",
    "repair",
    "side_of",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.data._table_backfill": "BackfillResult backfill backfill_export",
            "cdk_streams.data._comparison": "Comparison Difference compare",
            "cdk_streams.data._export_files": "ExportFiles open_export",
            "cdk_streams.data._rate_limit": "RateLimit",
            "cdk_streams.data._repair": "RepairResult repair",
            "cdk_streams.data._side": "Side side_of",
            "cdk_streams.data._views": "backfill_view compare_view",
        },
    )
