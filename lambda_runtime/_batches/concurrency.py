"""One batch on several threads, for handlers that mostly wait for other services.

What stays as in order: the changes of one item run one after the other, in stream order; and after
the first failure, or near the deadline, nothing new starts. What is given up: a record may be
handled before an earlier one of another item, so when that one fails, both are delivered again.
"""

from __future__ import annotations

import contextvars
import heapq
import threading

from lambda_runtime._batches.processing import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any

    from lambda_runtime._batches.deadlines import Watch
    from lambda_runtime._batches.processing import Take

__all__ = ["item_of", "on_threads"]


def on_threads(
    records: Sequence[Any], take: Take, watch: Watch | None, threads: int
) -> Failure | None:
    """Take the records of a batch on up to `threads` threads.

    Args:
        records: Raw stream records, in the order of their sequence numbers.
        take: Handles `(record, position)`; returns None, or why it failed.
        watch: Watches the function's deadline; None when there is none.
        threads: At least 1; no more are used than the batch has items.

    Returns:
        None when all records are handled. Otherwise the failure of the first record that failed,
        whose `unhandled` is the first record of the batch that is not handled: possibly an earlier
        one, which had not started yet.
    """
    start = 0
    while start < len(records):
        queues, end = _queues(records, start)
        # A record whose item cannot be told might belong to any: it runs alone, as a queue.
        alone = [] if end == len(records) else [[end]]
        for stage in (queues, alone):
            failure = _run(records, take, watch, stage, threads)
            if failure is not None:
                return failure
        start = end + 1
    return None


def _queues(records: Sequence[Any], start: int) -> tuple[list[list[int]], int]:
    """The positions of each item's records, last first, and where the first unreadable one is."""
    queues: dict[Hashable, list[int]] = {}
    end = len(records)
    for position in range(start, len(records)):
        try:
            queues.setdefault(item_of(records[position]["dynamodb"]["Keys"]), []).append(position)
        except Exception:  # noqa: BLE001 - any way in which a record can be malformed
            end = position
            break
    return [queue[::-1] for queue in queues.values()], end


def item_of(keys: Any) -> Hashable:
    """Which item a change is of: its keys as they are on the wire, DynamoDB writes them one way.

    `{"pk": {"S": "a"}, "sk": {"N": "1"}}` becomes `(("pk", "S", "a"), ("sk", "N", "1"))`.
    """
    return tuple(sorted((name, *next(iter(value.items()))) for name, value in keys.items()))


def _run(
    records: Sequence[Any],
    take: Take,
    watch: Watch | None,
    queues: list[list[int]],
    threads: int,
) -> Failure | None:
    """Run every queue in its order, any number of queues at once, the oldest record first."""
    lock = threading.Lock()
    unhandled = {position for queue in queues for position in queue}
    failures: list[Failure] = []
    # A queue is in `ready` while none of its records runs. A worker that finds nothing there may
    # end: every other queue is in the hands of a worker, which goes on with it.
    ready = [(queue[-1], queue) for queue in queues]
    heapq.heapify(ready)

    def work() -> None:
        near = None if watch is None else watch()
        while True:
            with lock:
                if failures or not ready or (near is not None and near()):
                    return
                _, queue = heapq.heappop(ready)
            position = queue.pop()
            failure = _taken(take, records[position], position)
            with lock:
                if failure is not None:
                    failures.append(failure)
                    return
                unhandled.discard(position)
                if queue:
                    heapq.heappush(ready, (queue[-1], queue))

    _on_workers(work, min(threads, len(queues)))
    return _outcome(unhandled, failures)


def _on_workers(work: Callable[[], None], count: int) -> None:
    """Run `work` on so many threads, each in a copy of the caller's context: a trace goes on."""
    workers = [
        threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(count)
    ]
    try:
        for worker in workers:
            worker.start()
    finally:
        for worker in workers:
            if worker.ident is not None:  # It was started: a process may run out of threads.
                worker.join()


def _taken(take: Take, record: Any, position: int) -> Failure | None:
    try:
        return take(record, position)
    except BaseException as error:  # noqa: BLE001 - a thread would swallow it; `_outcome` raises it
        return Failure(position, error, None)


def _outcome(unhandled: set[int], failures: list[Failure]) -> Failure | None:
    if not unhandled:
        return None
    if not failures:
        return Failure(min(unhandled), None, None)
    for failed in failures:
        # SystemExit and its like ask the process to end, whatever else has failed.
        if failed.error is not None and not isinstance(failed.error, Exception):
            raise failed.error
    failure = min(failures, key=lambda failed: failed.position)
    failure.unhandled = min(unhandled)
    return failure
