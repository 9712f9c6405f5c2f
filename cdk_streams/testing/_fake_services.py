"""The services that a forwarder sends events to, in memory: what they accepted, what they refuse.

services = FakeServices()
with forward.services(services):
    handler(event, None)
assert [event["subject"] for event in services.events] == ["o-1"]
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from cdk_streams.testing._fake_account import Account, Event, Sent
from cdk_streams.testing._fake_clients import CLIENTS
from lambda_runtime import forward

__all__ = ["FakeServices"]

Handler: TypeAlias = Callable[[Any, Any], Any]


class FakeServices:
    """EventBridge, SNS, SQS, Kinesis, Firehose, S3, Step Functions and Lambda for a forwarder.

    Each checks the limits of its calls as AWS does and raises botocore's ClientError for a call
    that AWS refuses. FIFO queues and topics drop an event that they accepted within five minutes;
    a state machine starts an event once.

    Args:
        refuse: Asked for each event that would be accepted, with the boto3 service's name; returns
            the error code to refuse that one with, or None. What it raises fails the whole call.
        now: The time, for deduplication; None means that no time passes.
        max_message_bytes: MaximumMessageSize of queues and topics.

    """

    def __init__(
        self,
        *,
        refuse: Callable[[str, Event], str | None] | None = None,
        now: Callable[[], datetime] | None = None,
        max_message_bytes: int = 262_144,
    ) -> None:
        self.pauses: list[float] = []
        self._account = Account(
            refuse=refuse or (lambda _service, _event: None),
            now=now or (lambda: datetime(2026, 1, 1, tzinfo=UTC)),
            max_message_bytes=max_message_bytes,
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that were accepted, in order, numbers exact."""
        return self._account.events

    @property
    def calls(self) -> list[Sent]:
        """The calls within the limits, in order: operation, entries, size in bytes."""
        return self._account.calls

    @property
    def objects(self) -> dict[tuple[str, str], bytes]:
        """What is in buckets: `{(bucket, key): body}`."""
        return self._account.objects

    def client(self, service: str) -> Any:
        """Return the client of a boto3 service."""
        return CLIENTS[service](self._account)

    def pause(self, seconds: float) -> None:
        """Note a wait in `pauses`, and do not wait."""
        self.pauses.append(seconds)

    def running(self, handler: Handler) -> Handler:
        """Return the handler as it runs among these services, for a world or a template."""

        def run(event: Any, context: Any) -> Any:
            with forward.services(self):
                return handler(event, context)

        return run
