"""The one place where a forwarder asks for AWS clients and waits; a test replaces both.

with forward.services(FakeServices()):
    handler(event, context)
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["client", "pause", "services"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    class Services(Protocol):
        """What a forwarder needs of the world around it."""

        def client(self, service: str) -> Any:
            """Return the boto3 client of a service, such as `events`."""

        def pause(self, seconds: float) -> None:
            """Wait before entries that a service refused are sent again."""


class _Boto3:
    """The real services: a client for each, made when it is first used and kept."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3  # noqa: PLC0415 - the runtime itself needs nothing but the standard library

            # A session of its own, because making a client from the shared one is not thread-safe.
            session: Any = boto3.session.Session()
            made = session.client(service, config=_config(service))
            self._clients.setdefault(service, made)
        return self._clients[service]

    def pause(self, seconds: float) -> None:
        import time  # noqa: PLC0415 - waits are rare

        time.sleep(seconds)


def _config(service: str) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - comes with boto3

    if service == "lambda":
        # Another function may take 15 minutes, and a call that is repeated runs it twice.
        return Config(read_timeout=900, retries={"total_max_attempts": 1})
    return Config(retries={"mode": "standard"})


_AWS = _Boto3()
_replaced: ContextVar[Services | None] = ContextVar("services", default=None)


@contextmanager
def services(used: Services) -> Iterator[None]:
    """Forward through `used` inside the `with` block, in place of AWS."""
    token = _replaced.set(used)
    try:
        yield
    finally:
        _replaced.reset(token)


def client(service: str) -> Any:
    """Return the client of a service."""
    return (_replaced.get() or _AWS).client(service)


def pause(seconds: float) -> None:
    """Wait."""
    (_replaced.get() or _AWS).pause(seconds)
