"""The data of views: items that the source already holds, and comparison with a recomputation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cdk_streams._argument_checks import whole_number
from cdk_streams.data._comparison import Comparison, Difference
from cdk_streams.data._progress_file import PartProgress, ProgressFile
from cdk_streams.data._rate_limit import RateLimit
from cdk_streams.data._side import MOST_SEGMENTS, Attributes, Side, check_scan, scan_segment
from cdk_streams.data._table_backfill import BackfillResult, run_parts
from lambda_runtime import StreamRuntimeError, decode, encode, parse
from lambda_runtime.replication import Counts
from lambda_runtime.views import Projection, View, ViewWriter, backfill_event

__all__ = ["backfill_view", "compare_view"]

_PAGE_ITEMS = 1_000
_OWN = "_view_source"


def backfill_view(
    source: Side,
    target: Side,
    *,
    view: View | Projection,
    marks: str,
    segments: int = 8,
    rate: RateLimit | None = None,
    progress_file: Path | None = None,
    observe: Callable[[Counts], None] = lambda _: None,
) -> BackfillResult:
    """Scan the source in parallel and give its items to a view, under the guard of the view.

    Pages are written one at a time: transactions of several at the same groups would conflict.

    Args:
        source: The table to read; each item costs read capacity.
        target: The view's target.
        view: The view.
        marks: The name of the view's table of marks.
        segments: How many segments are scanned at a time, 1 to 1,000.
        rate: Source items a second, at most.
        progress_file: Where progress is kept; run again with the same file to go on.
        observe: Called with the counts of each page, in the threads that scan.

    Raises:
        SourceError: Segments out of range, or a progress file of another backfill.

    """
    whole_number("segments", segments, 1, MOST_SEGMENTS)
    rate = rate or RateLimit(None)
    writer = ViewWriter(view, target=target.table, marks=marks, client=target.client)
    one_at_a_time = threading.Lock()

    def run(part: str, before: PartProgress, save: Callable[[PartProgress], None]) -> None:
        counts = before.counts
        pages = scan_segment(source, int(part), segments, before.next_key, Limit=_PAGE_ITEMS)
        for page in pages:
            rate.take(len(page.items))
            with one_at_a_time:
                written = _write(writer, source, page.items, page.read_at_s)
            observe(written)
            counts = counts.plus(written)
            save(PartProgress(page.next_key, page.next_key is None, counts))

    what = f"{source.table} to the view {target.table} in {segments} segments"
    parts = [str(segment) for segment in range(segments)]
    return run_parts(parts, run, ProgressFile(progress_file, what), segments)


def compare_view(
    source: Side,
    target: Side,
    *,
    view: View | Projection,
    segments: int = 4,
    lag_s: float = 10,
    rounds: int = 3,
    observe: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Comparison:
    """Compare a view with what a recomputation from its source gives.

    Both tables are read whole, and again after the lag while they differ; only what still differs
    then counts. The view's items are held in memory, not those of the source.

    Args:
        source: The view's source.
        target: Its target.
        view: The view.
        segments: How many segments of each side are scanned at a time, 1 to 1,000.
        lag_s: How long to wait before both are read again, in seconds.
        rounds: How often, at most, from 0.
        observe: Called with the number of further items read on either side, in several threads.
        sleep: Waits for so many seconds.

    Raises:
        SourceError: Segments, lag or rounds out of range.

    """
    check_scan(segments, lag_s, rounds)
    result = _compared(source, target, view, segments, observe)
    for _ in range(rounds):
        if result.is_equal:
            break
        sleep(lag_s)
        again = _compared(source, target, view, segments, observe)
        # A group that is busy differs each time, each time in another way.
        result = _still_different(result, again)
    return result


def _write(writer: ViewWriter, source: Side, items: list[Attributes], read_at_s: float) -> Counts:
    event = backfill_event(items, source.keys, scanned_at=read_at_s)
    prepared, failures = [], []
    for change in parse(event):
        try:
            prepared.append(writer.prepare(change))
        except StreamRuntimeError as error:
            failures.append(f"{change.keys.to_dict()}: {error}")
    written = max([0, *writer.write(prepared)])
    return Counts(len(items), written, 0, tuple(failures))


def _compared(
    source: Side,
    target: Side,
    view: View | Projection,
    segments: int,
    observe: Callable[[int], None],
) -> Comparison:
    with ThreadPoolExecutor(2) as threads:
        stored = threads.submit(lambda: list(_items(target, segments, observe)))
        source_items, faults = 0, []

        def moves() -> Iterator[Any]:
            nonlocal source_items
            for item in _items(source, segments, observe):
                source_items += 1
                try:
                    given = view.contribution(item)
                except StreamRuntimeError as error:
                    faults.append(f"{ {name: item[name] for name in source.keys} }: {error}")
                    continue
                if given is not None:
                    yield "", None, given

        expected = _by_key(target, view.recomputed(moves()))
        found = _by_key(target, stored.result())
    differences = [
        _difference(target.keys, expected.get(key), found.get(key))
        for key in {**expected, **found}
        if expected.get(key) != found.get(key)
    ]
    return Comparison(source_items, len(found), tuple(differences), tuple(faults))


def _items(side: Side, segments: int, observe: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    """Every item of a table in Python's values; pages are read ahead, one of each segment."""
    with ThreadPoolExecutor(segments) as threads:
        scans = [scan_segment(side, each, segments) for each in range(segments)]
        ahead = {threads.submit(next, scan, None): scan for scan in scans}
        while ahead:
            done, scan = next(iter(ahead.items()))
            del ahead[done]
            page = done.result()
            if page is not None:
                ahead[threads.submit(next, scan, None)] = scan
                observe(len(page.items))
                for item in page.items:
                    yield decode({"M": item})


def _by_key(target: Side, items: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {
        tuple(item[name] for name in target.keys): {
            name: value for name, value in item.items() if name != _OWN
        }
        for item in items
    }


def _difference(
    names: tuple[str, ...], expected: dict[str, Any] | None, found: dict[str, Any] | None
) -> Difference:
    either = expected or found or {}
    named = {name: either[name] for name in names}
    if expected is None or found is None:
        kind: Any = "missing" if found is None else "extra"
        return Difference(kind, named, expected=_typed(expected), found=_typed(found))
    attributes = {
        name: (expected.get(name), found.get(name))
        for name in {**expected, **found}
        if expected.get(name) != found.get(name)
    }
    return Difference("different", named, attributes, _typed(expected), _typed(found))


def _typed(item: dict[str, Any] | None) -> Attributes | None:
    made: Attributes | None = None if item is None else encode(item, binary="bytes")["M"]
    return made


def _still_different(before: Comparison, now: Comparison) -> Comparison:
    keys = [each.key for each in before.differences]
    left = tuple(each for each in now.differences if each.key in keys)
    return Comparison(now.source_items, now.target_items, left, now.faults)
