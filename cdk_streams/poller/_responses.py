"""What a function's answer means: how many of the batch's records are done, and which state.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cdk_streams.poller._assumptions import Assumptions
from cdk_streams.poller._batches import sequence_number
from cdk_streams.poller._effects import CallOutcome
from cdk_streams.poller._event_source_mapping import EventSourceMapping
from cdk_streams.poller._events import Errored, Record, Returned
from cdk_streams.poller._state import Batch, Closing

__all__ = ["Verdict", "evaluate"]

_JSON_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


class Verdict(NamedTuple):
    """What a call did for its batch; the first `done` records are handled, the rest is not.

    `function_error` is that of the failure record: `Unhandled`, or None for an answer that
    reports the failure itself; `reason` says then why the whole batch has failed. `state` is a
    tumbling window's new state, None without one.
    """

    outcome: CallOutcome
    done: int
    function_error: str | None = None
    state: Any = None
    reason: str = ""


def evaluate(mapping: EventSourceMapping, batch: Batch, outcome: Returned | Errored) -> Verdict:
    """Judge the outcome of a call that was made."""
    if isinstance(outcome, Errored):
        return Verdict("failed", 0, outcome.function_error)
    payload, count = outcome.payload, len(batch.records)
    state = None
    if mapping.tumbling_window_ms is not None:
        state = payload.get("state") if isinstance(payload, dict) else None
        if state is None and _needs_state(batch, mapping.assumptions):
            return Verdict("failed", 0, reason=_without_state(payload))
    if not mapping.settings.report_batch_item_failures:
        return Verdict("handled", count, state=state)
    done = _done(payload, batch.records, mapping.assumptions)
    if isinstance(done, str):
        return Verdict("failed", 0, state=state, reason=done)
    if done == 0 < count:
        return Verdict("failed", 0, state=state, reason="the answer reports the first record")
    return Verdict("handled" if done == count else "partial", done, state=state)


def _needs_state(batch: Batch, assumptions: Assumptions) -> bool:
    return batch.closing is Closing.NO or assumptions.final_call_needs_state


def _without_state(payload: Any) -> str:
    what = "an object without state" if isinstance(payload, dict) else _kind(payload)
    return f"an answer in a tumbling window must be an object with state, got {what}"


def _done(payload: Any, records: Sequence[Record], assumptions: Assumptions) -> int | str:
    """Return how many leading records the answer declares done; text: why it cannot be read."""
    failures = _failures(payload, assumptions)
    if not failures:
        return len(records)
    if isinstance(failures, str):
        return failures
    places = {sequence_number(record): place for place, record in enumerate(records)}
    first = len(records)
    for index, entry in enumerate(failures):
        name = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            return _unreadable(index, entry)
        if name not in places and assumptions.unknown_identifier == "fail_batch":
            return (
                f"batchItemFailures[{index}].itemIdentifier must be the sequence number of a "
                f"record of the batch, got {name!r}"
            )
        # Records stand in the order of their numbers, so the lowest number comes first.
        first = min(first, places.get(name, first))
    return first


def _failures(payload: Any, assumptions: Assumptions) -> list[Any] | str:
    """Return what the answer lists; an empty one lists nothing, text says why it is unreadable."""
    if payload in (None, "", [], {}):
        return []
    if not isinstance(payload, dict):
        if assumptions.unreadable_response == "ignore":
            return []
        return f"an answer must be an object with batchItemFailures, got {_kind(payload)}"
    failures = payload.get("batchItemFailures")
    if failures is None:
        return []
    if isinstance(failures, list):
        return failures
    return f"batchItemFailures must be a list, got {_kind(failures)}"


def _unreadable(index: int, entry: Any) -> str:
    place = f"batchItemFailures[{index}]"
    if not isinstance(entry, dict):
        return f"{place} must be an object with itemIdentifier, got {_kind(entry)}"
    if "itemIdentifier" not in entry:
        return f"{place} must have an itemIdentifier, got {', '.join(map(str, entry)) or 'nothing'}"
    name = entry["itemIdentifier"]
    got = "an empty text" if name == "" else _kind(name)
    return f"{place}.itemIdentifier must be a record's sequence number as text, got {got}"


def _kind(value: Any) -> str:
    return _JSON_KINDS.get(type(value), type(value).__name__)
