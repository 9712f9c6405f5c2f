"""Plays a scenario of the reference: numbered records, a set of bad ones, one mapping.

`play(4, bad={2}, retry_attempts=1)` puts records 1 to 4 into a stream, enables the mapping, and
shows what came of it in the reference's own notation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import Run, insert, simulate
from cdk_streams.simulator._records import START

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
SIMULATION = {
    "start",
    "closed",
    "parents",
    "duration",
    "timeout",
    "throttled",
    "destination_denied",
    "function_arn",
    "executed_version",
    "assumptions",
    "until",
}


@dataclass(frozen=True)
class Played:
    """A run, read with the records' own numbers."""

    run: Run
    numbers: dict[str, int]
    events: list[dict[str, Any]]

    @property
    def calls(self) -> str:
        """`[1,2] [3]`: the records of each call."""
        return " ".join(
            f"[{','.join(str(self.numbers[each]) for each in call.sequence_numbers)}]"
            for call in self.run.invocations
        )

    @property
    def gaps(self) -> list[timedelta]:
        times = [call.at for call in self.run.invocations]
        return [later - earlier for earlier, later in pairwise(times)]

    @property
    def request_ids(self) -> list[str]:
        return [call.request_id for call in self.run.invocations]

    @property
    def failed(self) -> list[tuple[str, int, int, str, str | None]]:
        """(condition, approximateInvokeCount, batchSize, range, functionError) of each record."""
        return [self._entry(body) for body in self.run.failures]

    @property
    def checkpoint(self) -> int | None:
        """The number of the last record passed, of a stream with one shard."""
        (checkpoint,) = self.run.checkpoints.values() or (None,)
        return None if checkpoint is None else self.numbers[checkpoint]

    def _entry(self, body: dict[str, Any]) -> tuple[str, int, int, str, str | None]:
        context, info = body["requestContext"], body["DDBStreamBatchInfo"]
        first, last = info["startSequenceNumber"], info["endSequenceNumber"]
        return (
            context["condition"],
            context["approximateInvokeCount"],
            info["batchSize"],
            f"{self.numbers[first]}-{self.numbers[last]}",
            body.get("responseContext", {}).get("functionError", "no responseContext"),
        )


def numbered(count: int, at: datetime = START) -> list[dict[str, Any]]:
    return [
        insert({"pk": f"item {each}", "ordinal": each}, number=each, at=at)
        for each in range(1, count + 1)
    ]


def _answers(
    bad: Iterable[int], numbers: dict[str, int], *, report: bool
) -> Callable[[dict[str, Any]], Any]:
    """Raise when a bad record is present; with reports on, list only the bad ones."""
    poison = set(bad)

    def answer(event: dict[str, Any]) -> Any:
        found = [
            number
            for record in event["Records"]
            if numbers[number := record["dynamodb"]["SequenceNumber"]] in poison
        ]
        if report:
            return {"batchItemFailures": [{"itemIdentifier": number} for number in found]}
        if found:
            raise ValueError(f"cannot handle {len(found)} of the records")
        return None

    return answer


@pytest.fixture
def play() -> Callable[..., Played]:
    def _play(
        records: int | list[dict[str, Any]] = 4,
        *,
        bad: Iterable[int] = (),
        answer: Callable[[dict[str, Any]], Any] | None = None,
        on_failure: str | None = QUEUE,
        **options: Any,
    ) -> Played:
        stream = numbered(records) if isinstance(records, int) else records
        numbers = {
            each["dynamodb"]["SequenceNumber"]: place for place, each in enumerate(stream, 1)
        }
        rest = {name: options.pop(name) for name in SIMULATION & set(options)}
        settings = MappingSettings(on_failure=on_failure, **options)
        report = settings.report_batch_item_failures
        decide = answer or _answers(bad, numbers, report=report)
        events: list[dict[str, Any]] = []

        def handler(event: dict[str, Any], _context: Any) -> Any:
            events.append(event)
            return decide(event)

        return Played(simulate(handler, stream, settings=settings, **rest), numbers, events)

    return _play
