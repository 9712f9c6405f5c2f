"""A consumer on fakes only: a stream in memory, tasks in order, time that jumps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live import CheckpointStore, MappingDriver, Notice, SerialExecutor
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping, SendFailure
from cdk_streams.testing import FakeStreams

QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
# One second after the fake stream's records were made.
NOW_MS = int(datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC).timestamp() * 1000)


@dataclass
class Bench:
    """One consumer of one fake stream. `calls` and `failures` outlive a restart.

    The function's first answers are `scripted`, an exception raised; then comes the handler.
    """

    streams: FakeStreams
    checkpoints: CheckpointStore
    settings: MappingSettings = field(default_factory=MappingSettings)
    handler: Callable[[Any, Any], Any] = lambda _event, _context: None
    scripted: list[InvokeResponse | Exception] = field(default_factory=list)
    refuse: str | None = None
    calls: list[list[Any]] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Notice] = field(default_factory=list)
    now_ms: int = NOW_MS
    executor: SerialExecutor = field(init=False)
    driver: MappingDriver = field(init=False)

    def start(self) -> None:
        """Start the consumer, or a new one where the last one was left."""
        if hasattr(self, "executor"):
            self.now_ms = self.executor.now_ms() + 1
        self.executor = SerialExecutor(self.now_ms)
        self.driver = MappingDriver(
            "audit",
            EventSourceMapping(
                settings=replace(self.settings, on_failure=QUEUE),
                function_arn="arn:aws:lambda:us-east-1:000000000000:function:audit",
                stream_arn=self.streams.arn,
                uuid="mapping-1",
            ),
            api=self.streams,
            invoke=self.invoke,
            deliver=self.deliver,
            checkpoints=self.checkpoints,
            executor=self.executor,
            on_notice=lambda _at_ms, notice: self.seen.append(notice),
        )
        self.driver.start()

    def turn(self, turns: int) -> None:
        for _ in range(turns):
            self.driver.run_once()

    def invoke(self, event: Any, request_id: str) -> InvokeResponse:
        if self.scripted:
            answer = self.scripted.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.calls.append(event["Records"])
        self.request_ids.append(request_id)
        try:
            return InvokeResponse(request_id, json.dumps(self.handler(event, None)).encode())
        except ValueError:
            return InvokeResponse(
                request_id, b"{}", function_error="Unhandled", error_type="ValueError"
            )

    def deliver(self, failure: SendFailure) -> str | None:
        if self.refuse is None:
            self.failures.append(failure.body)
        return self.refuse

    def handled(self) -> list[str]:
        """Every sequence number of every call, in order."""
        return [record["dynamodb"]["SequenceNumber"] for call in self.calls for record in call]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    streams = FakeStreams()
    streams.add_shard("s")
    with CheckpointStore(tmp_path / "checkpoints") as checkpoints:
        yield Bench(streams, checkpoints)
