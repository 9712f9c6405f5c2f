"""The forwarder: changes go to a target as events, in order, and none is lost.

events = Forwarder(EventBus("orders"))

handler = events.handler          # forwards every change of a batch

@on.modify("status")
def status_changed(change: Modify) -> None:
    events.send(change)           # forwards the changes that a route takes
"""

from __future__ import annotations

from lambda_runtime._batches import processing
from lambda_runtime._batches.deadlines import deadline
from lambda_runtime._batches.processing import Failure
from lambda_runtime._changes.parsing import change_of, records_of
from lambda_runtime.forward._delivery import deliver
from lambda_runtime.forward._entries import entry_of
from lambda_runtime.forward._events import ITEM_CHANGE_SCHEMA, Event

__all__ = ["Forwarder"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from lambda_runtime._changes.changes import Change
    from lambda_runtime.forward._claim_checks import ClaimChecks
    from lambda_runtime.forward._delivery import Target
    from lambda_runtime.forward._entries import Entry


class Forwarder:
    """Forwards changes to a target.

    Args:
        target: Where events go: an `EventBus`, an `SqsQueue`, …
        source: The events' source, a URI reference; None means the ARN of the table.
        schema: The URI of the schema of the events' data.
        large_events: Where the data of an event goes that is larger than its target takes; None
            leaves its images out.
    """

    def __init__(
        self,
        target: Target,
        *,
        source: str | None = None,
        schema: str = ITEM_CHANGE_SCHEMA,
        large_events: ClaimChecks | None = None,
    ) -> None:
        self.target = target
        self._source = source
        self._schema = schema
        self._large_events = large_events

    def send(self, *changes: Change) -> None:
        """Forward changes in this order.

        Raises:
            ForwardError: The target did not accept one; those before it were accepted.
        """
        entries = [self._entry(position, change) for position, change in enumerate(changes)]
        failure = deliver(entries, self.target, None)
        if failure is not None and failure.error is not None:
            raise failure.error

    def handler(self, event: Any, context: Any = None) -> dict[str, Any]:
        """Forward a batch: a Lambda handler.

        Args:
            event: What Lambda delivers: `{"Records": [...]}`.
            context: Lambda's context; None in a test.

        Returns:
            `{"batchItemFailures": []}`, or the sequence number of the first record whose event was
            not accepted. What was sent behind it is sent again, with the same id.

        Raises:
            ForwardError: An event was not accepted, and the mapping takes no partial responses.
            DeadlineError: The same, when the function's deadline was near.
            EventError: The event is no DynamoDB Streams event.
        """
        records = records_of(event)
        watch = deadline(context, None, learns=processing.takes_partial_responses())
        failed: list[Failure] = []
        entries = self._entries(records, failed)
        failure = deliver(entries, self.target, None if watch is None else watch())
        # The record that no event could be made of comes behind those that were sent.
        failure = failure or next(iter(failed), None)
        if failure is not None:
            _log(records, failure)
        response = processing.answer(records, failure)
        # With a tumbling window a response without state counts as a failed invocation.
        return {"state": event.get("state") or {}, **response} if "window" in event else response

    def _entries(self, records: Iterable[Any], failed: list[Failure]) -> Iterator[Entry]:
        """Make entries up to the first record that has none, and add to `failed` why."""
        for position, record in enumerate(records):
            try:
                entry = self._entry(position, change_of(record, position))
            except Exception as error:  # noqa: BLE001 - any fault of a record, or of keeping it
                failed.append(Failure(position, error, None))
                return
            yield entry

    def _entry(self, position: int, change: Change) -> Entry:
        event = Event(change, self._source, self._schema)
        target = self.target
        keep = None if self._large_events is None else self._large_events.store
        return entry_of(position, event, target.limits, target.overhead_bytes(event), keep)


def _log(records: Sequence[Any], failure: Failure) -> None:
    from lambda_runtime._batches import log_lines  # noqa: PLC0415 - on failures only

    if failure.error is None:
        log_lines.log_deadline(records, failure.unhandled)
    else:
        # Errors of this package name codes and sizes; the text of others may quote an item.
        ours = type(failure.error).__module__.startswith("lambda_runtime.")
        log_lines.log_record(records, failure, failure, show=("message",) if ours else ())
