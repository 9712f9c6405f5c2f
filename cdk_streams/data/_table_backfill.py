"""A backfill: every item of a table, or of its export, written to the target of a replica.

The replica's consumer has to run first: what is changed while the backfill reads comes through
the stream, under the same guard, and neither brings back what is older.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cdk_streams._argument_checks import whole_number
from cdk_streams.data._export_files import ExportFiles
from cdk_streams.data._progress_file import PartProgress, ProgressFile
from cdk_streams.data._rate_limit import RateLimit
from cdk_streams.data._side import MOST_SEGMENTS, Side, scan_segment
from lambda_runtime.replication import (
    BackfillWriter,
    Counts,
    Settings,
    Transform,
    backfill_mark,
    export_pages,
)

__all__ = ["BackfillResult", "backfill", "backfill_export", "run_parts"]

# A page of the scan is at most 1 MB; smaller ones let progress be kept more often.
_PAGE_ITEMS = 500


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """The result of a backfill.

    `counts` covers all of it, earlier runs of an interrupted one too; `resumed` is how many
    source items those had read.
    """

    counts: Counts
    resumed: int = 0


Observe = Callable[[Counts], None]


def backfill(
    source: Side,
    target: Side,
    *,
    transform: Transform | None = None,
    version: str | None = None,
    segments: int = 8,
    rate: RateLimit | None = None,
    progress_file: Path | None = None,
    observe: Observe = lambda _: None,
) -> BackfillResult:
    """Scan the source in parallel and write what its items stand for.

    Args:
        source: The table to read; each item costs read capacity.
        target: The table to write.
        transform: That of the replica.
        version: The version attribute of a two-way replica.
        segments: How many segments are scanned at a time, 1 to 1,000.
        rate: Source items a second, at most.
        progress_file: Where progress is kept; run again with the same file to go on.
        observe: Called with the counts of each page, in the threads that write.

    Raises:
        SourceError: Segments out of range, or a progress file of another backfill.

    """
    whole_number("segments", segments, 1, MOST_SEGMENTS)
    rate = rate or RateLimit(None)
    writer = _writer(source, target, transform, version)
    what = f"{source.table} to {target.table} in {segments} segments"

    def run(part: str, before: PartProgress, save: Callable[[PartProgress], None]) -> None:
        counts = before.counts
        pages = scan_segment(source, int(part), segments, before.next_key, Limit=_PAGE_ITEMS)
        for page in pages:
            rate.take(len(page.items))
            written = writer.write(page.items, backfill_mark(page.read_at_s))
            observe(written)
            counts = counts.plus(written)
            save(PartProgress(page.next_key, page.next_key is None, counts))

    parts = [str(segment) for segment in range(segments)]
    return run_parts(parts, run, ProgressFile(progress_file, what), segments)


def backfill_export(
    export: ExportFiles,
    source: Side,
    target: Side,
    *,
    transform: Transform | None = None,
    version: str | None = None,
    workers: int = 4,
    rate: RateLimit | None = None,
    progress_file: Path | None = None,
    observe: Observe = lambda _: None,
) -> BackfillResult:
    """Write what the items of a point-in-time export stand for; it costs no read capacity.

    Args:
        export: The export of the source, made after the replica's consumer had started.
        source: The table that was exported; it is not read.
        target: The table to write.
        transform: That of the replica.
        version: The version attribute of a two-way replica.
        workers: How many data files are written at a time, 1 to 1,000.
        rate: Source items a second, at most.
        progress_file: Where progress is kept; a file that was interrupted is written again.
        observe: Called with the counts of each page, in the threads that write.

    Raises:
        SourceError: Workers out of range, or a progress file of another backfill.

    """
    whole_number("workers", workers, 1, MOST_SEGMENTS)
    rate = rate or RateLimit(None)
    writer = _writer(source, target, transform, version)

    def run(part: str, _: PartProgress, save: Callable[[PartProgress], None]) -> None:
        counts = Counts()
        with export.open(part) as stream:
            for page in export_pages(stream, part):
                rate.take(len(page))
                written = writer.write(page, export.mark)
                observe(written)
                counts = counts.plus(written)
        save(PartProgress(None, is_done=True, counts=counts))

    what = f"{export.name} to {target.table}"
    return run_parts(export.files, run, ProgressFile(progress_file, what), workers)


def _writer(
    source: Side, target: Side, transform: Transform | None, version: str | None
) -> BackfillWriter:
    settings = Settings(table=target.table, keys=target.keys, version=version)
    return BackfillWriter(
        settings, source.keys, client=target.client, transform=transform, origin=source.origin
    )


def run_parts(
    parts: Iterable[str],
    run: Callable[[str, PartProgress, Callable[[PartProgress], None]], None],
    progress: ProgressFile,
    workers: int,
) -> BackfillResult:
    """Run the parts that are not done on threads; the first error stops them all."""
    parts = list(parts)
    stop = threading.Event()

    def one(part: str) -> None:
        before = progress.part(part)
        if before.is_done or stop.is_set():
            return

        def save(now: PartProgress) -> None:
            progress.save(part, now)
            if stop.is_set():
                raise _StoppedError

        try:
            run(part, before, save)
        except _StoppedError:
            pass
        except BaseException:
            stop.set()
            raise

    with progress:
        resumed = sum(progress.part(part).counts.read for part in parts)
        with ThreadPoolExecutor(max(1, workers)) as threads:
            done = [threads.submit(one, part) for part in parts]
            try:
                for each in done:
                    each.result()
            except BaseException:
                stop.set()
                raise
        counts = _sum(progress.part(part).counts for part in parts)
        progress.delete()
    return BackfillResult(counts, resumed)


class _StoppedError(Exception):
    """Another part has failed, so this one ends where its progress is kept."""


def _sum(all_counts: Iterator[Counts]) -> Counts:
    total = Counts()
    for counts in all_counts:
        total = total.plus(counts)
    return total
