"""Messages that stay hidden while functions are called, one after the other.

    with MessageHold(sqs, messages) as hold:
        for message in messages:
            hold.renew()
            if not hold.has_ended(message): ...

Thousands of calls take longer than a queue hides what was received once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from cdk_streams.redrive._invoke import CALL_LIMIT_S
from cdk_streams.redrive._queue_messages import FailureMessage, give_all_back, hide

__all__ = ["MessageHold"]

_RENEWED_EVERY_S = 240
# One call may begin just before the next renewal.
_HIDDEN_S = CALL_LIMIT_S + _RENEWED_EVERY_S + 60


class MessageHold:
    """Keeps received messages hidden until they are released, the others to the end of the block.

    `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        sqs: Any,
        messages: Iterable[FailureMessage],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sqs = sqs
        self._clock = clock
        self._held = {_key(each): each for each in messages}
        self._ended: set[tuple[str, str]] = set()
        self._renewed_s: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        give_all_back(self._sqs, self._held.values())

    def renew(self) -> None:
        """Hide the messages for longer, when it is time: at first, then every four minutes."""
        now_s = self._clock()
        if self._renewed_s is not None and now_s - self._renewed_s < _RENEWED_EVERY_S:
            return
        self._renewed_s = now_s
        for each in hide(self._sqs, self._held.values(), _HIDDEN_S):
            self._ended.add(_key(each))
            self._held.pop(_key(each), None)

    def has_ended(self, message: FailureMessage) -> bool:
        """Tell whether a message was seen by others before it was renewed."""
        return _key(message) in self._ended

    def release(self, messages: Iterable[FailureMessage]) -> None:
        """Hide these no longer."""
        released = [self._held.pop(_key(each)) for each in messages if _key(each) in self._held]
        give_all_back(self._sqs, released)

    def forget(self, message: FailureMessage) -> None:
        """Leave a message out from now on: it was deleted."""
        self._held.pop(_key(message), None)


def _key(message: FailureMessage) -> tuple[str, str]:
    return message.queue_url, message.id or message.receipt
