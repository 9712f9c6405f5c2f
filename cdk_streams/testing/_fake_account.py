"""What the fake services of one account hold: accepted events, calls, objects, started names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

__all__ = ["Account", "Event", "Sent", "refused"]

Event: TypeAlias = Mapping[str, Any]
# How long a FIFO queue or topic remembers an id.
_DEDUPLICATION = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of a service: the operation, how many entries it had, their size in bytes."""

    operation: str
    entries: int
    size_bytes: int


@dataclass(slots=True)
class Account:
    """The state behind the clients; `FakeServices` documents it."""

    refuse: Callable[[str, Event], str | None]
    now: Callable[[], datetime]
    max_message_bytes: int
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Sent] = field(default_factory=list)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    executions: set[tuple[str, str]] = field(default_factory=set)
    accepted_at: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def count(
        self, operation: str, sizes: Sequence[int], *, entries: int, call: int, entry: int
    ) -> None:
        """Note a call; `sizes` are those of its entries in bytes, the others its limits.

        Raises:
            ClientError: The call is over a limit.

        """
        if not sizes:
            raise refused(operation, "EmptyBatchRequest")
        if len(sizes) > entries:
            raise refused(operation, "TooManyEntriesInBatchRequest")
        if sum(sizes) > call or max(sizes) > entry:
            raise refused(operation, "BatchRequestTooLong")
        self.calls.append(Sent(operation, len(sizes), sum(sizes)))

    def take(
        self, service: str, text: str | bytes, *, once: tuple[str, str] | None = None
    ) -> str | None:
        """Accept an event, or return the error code that it is refused with.

        Args:
            service: The boto3 service.
            text: The event.
            once: Where and under which id it is accepted once within five minutes.

        """
        event = json.loads(text, parse_float=Decimal)
        code = self.refuse(service, event)
        if code is not None:
            return code
        if once is not None:
            now, before = self.now(), self.accepted_at.get(once)
            if before is not None and now - before < _DEDUPLICATION:
                return None
            self.accepted_at[once] = now
        self.events.append(event)
        return None

    def keep(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object; one of JSON lines holds events.

        Raises:
            ClientError: An event in it is refused, and the object with it.

        """
        if key.endswith(".jsonl.gz"):
            codes = [self.take("s3", line) for line in gzip.decompress(body).splitlines()]
            for code in filter(None, codes):
                raise refused("PutObject", code)
        self.objects[bucket, key] = body


def refused(operation: str, code: str) -> ClientError:
    """Make the error of a call that a service refused."""
    return ClientError(
        {"Error": {"Code": code, "Message": f"refused by a fake: {code}"}}, operation
    )
