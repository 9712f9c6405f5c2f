"""The Lambda Runtime API of one execution environment, on loopback.

The language runtime inside a function's process asks here for its next invocation and posts the
response back; https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html is the contract. Each
environment has an API of its own, as on AWS, so a response can never reach another environment.

A response counts for the invocation that it names, once. Web pages and other programs of the
machine can reach a port of loopback, but do not know the token that begins every path.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any

from cdk_streams._loopback import LoopbackHandler, LoopbackServer
from cdk_streams.mapping import MAX_RESPONSE_BYTES

__all__ = [
    "Exited",
    "Failed",
    "InitFailed",
    "Invocation",
    "Ready",
    "Reply",
    "Responded",
    "RuntimeApi",
]

_NEXT = "/2018-06-01/runtime/invocation/next"
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
_INIT_ERROR = "/2018-06-01/runtime/init/error"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event on its way to the function; `deadline_ms` counts from the Unix epoch."""

    request_id: str
    body: bytes
    deadline_ms: int
    function_arn: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The function's module is imported and the runtime waits for its first invocation."""


@dataclass(frozen=True, slots=True)
class Responded:
    """The handler returned; `body` is its answer as JSON."""

    request_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised; `body` is `{"errorMessage": …, "errorType": …, "stackTrace": […]}`."""

    request_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The handler could not be imported; `body` has the shape of `Failed.body`."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended: 0 and above is its exit status, below 0 the signal that ended it."""

    code: int


Reply = Ready | Responded | Failed | InitFailed | Exited


class RuntimeApi:
    """A Runtime API for one process: `offer` an invocation, take what comes of it from `replies`.

    Only the process's watcher puts `Exited` into `replies`; everything else comes from requests.
    """

    def __init__(self) -> None:
        self.replies: SimpleQueue[Reply] = SimpleQueue()
        self.token = secrets.token_urlsafe(16)
        self._offered: SimpleQueue[Invocation | None] = SimpleQueue()
        self._lock = threading.Lock()
        # Requests that wait for an invocation: several, when a function forks.
        self.waiting = 0
        # The invocation that runs, and whether a waiting request has been reported as `Ready`.
        self._running: str | None = None
        self._is_ready = False
        self._server = LoopbackServer(partial(_Handler, self), "runtime-api")

    @property
    def host(self) -> str:
        """Where it listens: `127.0.0.1:40123`."""
        return self._server.address

    @property
    def address(self) -> str:
        """The value of `AWS_LAMBDA_RUNTIME_API`: host, port, and the token as the path."""
        return f"{self.host}/{self.token}"

    def close(self) -> None:
        """Free the port; a request that waits for an invocation ends without one."""
        for _ in range(self.waiting):
            self._offered.put(None)
        self._server.close()

    def offer(self, invocation: Invocation) -> None:
        """Hand `invocation` to the process as soon as it asks for one."""
        self._offered.put(invocation)

    def begin_wait(self) -> bool:
        """Count a request for the next invocation; False while another invocation runs."""
        with self._lock:
            if self._running is not None:
                return False
            self.waiting += 1
            self._report_ready()
            return True

    def take(self) -> Invocation | None:
        """Wait for the next invocation; None when the API is closing."""
        invocation = self._offered.get()
        with self._lock:
            self.waiting -= 1
            self._is_ready = False
            self._running = None if invocation is None else invocation.request_id
        return invocation

    def finish(self, request_id: str, reply: Reply) -> bool:
        """Take the response to the invocation that runs; False for any other, or a second one."""
        with self._lock:
            if request_id != self._running:
                return False
            self._running = None
            self.replies.put(reply)
            if self.waiting:
                self._report_ready()
            return True

    def _report_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self.replies.put(Ready())


class _Handler(LoopbackHandler):
    def __init__(self, api: RuntimeApi, *connection: Any) -> None:
        # Python's own initializer handles the whole connection before it returns.
        self._api = api
        super().__init__(*connection)

    def do_GET(self) -> None:  # noqa: N802 - http.server's own name
        path = self._path()
        if path is None:
            self.answer(403, _FORBIDDEN)
        elif path != _NEXT:
            self.answer(404, b"{}")
        elif not self._api.begin_wait():
            self.answer(403, _WRONG_STATE)
        elif (invocation := self._api.take()) is None:
            self.close_connection = True
        else:
            self.answer(200, invocation.body, _invocation_headers(invocation))

    def do_POST(self) -> None:  # noqa: N802 - http.server's own name
        path, body = self._path(), self.read_body()
        if body is None:
            return
        if path is None:
            self.answer(403, _FORBIDDEN)
        elif path == _INIT_ERROR:
            self._api.replies.put(InitFailed(body))
            self.answer(202, _ACCEPTED)
        elif (match := _ANSWER.fullmatch(path)) is None:
            self.answer(404, b"{}")
        else:
            self._take_response(match[1], match[2], body)

    def _take_response(self, request_id: str, kind: str, body: bytes) -> None:
        is_too_large = len(body) > MAX_RESPONSE_BYTES
        reply: Reply
        if is_too_large:
            reply = Failed(request_id, _TOO_LARGE)
        else:
            reply = (Responded if kind == "response" else Failed)(request_id, body)
        if not self._api.finish(request_id, reply):
            self.answer(400, _WRONG_REQUEST)
        elif is_too_large:
            self.answer(413, _TOO_LARGE)
        else:
            self.answer(202, _ACCEPTED)

    def _path(self) -> str | None:
        """Return the path behind the token; None when it is not the function that asks."""
        root, path = self.path[: len(self._api.token) + 1], self.path[len(self._api.token) + 1 :]
        is_known = secrets.compare_digest(root.encode(), f"/{self._api.token}".encode())
        is_local = self.headers.get("Host") == self._api.host and "Origin" not in self.headers
        return path if is_known and is_local else None


_ACCEPTED = b'{"status":"OK"}'
_FORBIDDEN = b'{"errorType":"Forbidden","errorMessage":"This address is of one function only."}'
_WRONG_STATE = (
    b'{"errorType":"InvalidStateTransition","errorMessage":"An invocation is still running."}'
)
_WRONG_REQUEST = b'{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}'
_TOO_LARGE = (
    b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded'
    b' maximum allowed payload size (%d bytes)."}' % MAX_RESPONSE_BYTES
)


def _invocation_headers(invocation: Invocation) -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        # A handler that forks would share the connection with its child, and the requests of both
        # would be mixed on it. So each process opens its own for its response.
        "Connection": "close",
    }
