"""What a function's answer means: how many of the batch's records are done, and which state.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cdk_streams.poller._assumptions import Assumptions
from cdk_streams.poller._batches import sequence_number
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import Errored, Record, Returned
from cdk_streams.poller._state import Batch, Closing

__all__ = ["Verdict", "evaluate"]


class Verdict(NamedTuple):
    """The first `done` records of the batch are handled; `failed` says whether the rest is not.

    `function_error` is that of the failure record: `Unhandled`, or None for an answer that
    reports the failure itself. `state` is a tumbling window's new state, None without one.
    """

    done: int
    failed: bool
    function_error: str | None = None
    state: Any = None


def evaluate(mapping: EventSourceMapping, batch: Batch, outcome: Returned | Errored) -> Verdict:
    """Judge the outcome of a call that was made."""
    if isinstance(outcome, Errored):
        return Verdict(0, failed=True, function_error=outcome.function_error)
    payload, count = outcome.payload, len(batch.records)
    state = None
    if mapping.tumbling_window_ms is not None:
        state = payload.get("state") if isinstance(payload, dict) else None
        if state is None and _needs_state(batch, mapping.assumptions):
            return Verdict(0, failed=True)
    if not mapping.settings.report_batch_item_failures:
        return Verdict(count, failed=False, state=state)
    done = _done(payload, batch.records, mapping.assumptions)
    if done is None:
        return Verdict(0, failed=True, state=state)
    return Verdict(done, failed=done < count, state=state)


def _needs_state(batch: Batch, assumptions: Assumptions) -> bool:
    return batch.closing is Closing.NO or assumptions.final_call_needs_state


def _done(payload: Any, records: Sequence[Record], assumptions: Assumptions) -> int | None:
    """Return how many leading records the answer declares done; None when it cannot be read."""
    failures = _failures(payload, assumptions)
    if not failures:
        return None if failures is None else len(records)
    places = {sequence_number(record): place for place, record in enumerate(records)}
    first = len(records)
    for entry in failures:
        name = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            return None
        if name not in places and assumptions.unknown_identifier == "fail_batch":
            return None
        # Records stand in the order of their numbers, so the lowest number comes first.
        first = min(first, places.get(name, first))
    return first


def _failures(payload: Any, assumptions: Assumptions) -> list[Any] | None:
    """Return what the answer lists; an empty one lists nothing, None is none that can be read."""
    if payload in (None, "", [], {}):
        return []
    if not isinstance(payload, dict):
        return [] if assumptions.unreadable_response == "ignore" else None
    failures = payload.get("batchItemFailures")
    if failures is None:
        return []
    return failures if isinstance(failures, list) else None
