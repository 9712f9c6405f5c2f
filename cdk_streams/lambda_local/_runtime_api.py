"""The Lambda Runtime API of one execution environment, on loopback.

The language runtime inside a function's process asks here for its next invocation and posts the
answer back; `https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html` is the contract. Each
environment has an API of its own, as on AWS, so an answer can never reach another environment.
"""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, Self

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
        self._offered: SimpleQueue[Invocation | None] = SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="runtime-api",
            daemon=True,
        )

    @property
    def address(self) -> str:
        """What belongs into `AWS_LAMBDA_RUNTIME_API`: `127.0.0.1:40123`."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._offered.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def offer(self, invocation: Invocation) -> None:
        """Hand `invocation` to the process as soon as it asks for one."""
        self._offered.put(invocation)

    def take(self) -> Invocation | None:
        """Wait for the next invocation; None when the API is closing."""
        return self._offered.get()


class _Handler(BaseHTTPRequestHandler):
    # A buffered file and no Nagle delay send header and body in one packet; without them every
    # warm invocation waits 40 ms for the peer's delayed acknowledgement.
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def __init__(self, api: RuntimeApi, *connection: Any) -> None:
        # Python's own initializer handles the whole connection before it returns.
        self._api = api
        super().__init__(*connection)

    def handle(self) -> None:
        # A process that is ended leaves its connection as it is.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        if self.path != _NEXT:
            self._answer(404, b"{}")
            return
        self._api.replies.put(Ready())
        invocation = self._api.take()
        if invocation is None:
            self.close_connection = True
            return
        self._answer(200, invocation.body, _invocation_headers(invocation))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == _INIT_ERROR:
            self._api.replies.put(InitFailed(body))
            self._answer(202, _ACCEPTED)
        elif (match := _ANSWER.fullmatch(self.path)) is None:
            self._answer(404, b"{}")
        elif len(body) > MAX_RESPONSE_BYTES:
            self._api.replies.put(Failed(match[1], _TOO_LARGE))
            self._answer(413, _TOO_LARGE)
        else:
            reply = Responded if match[2] == "response" else Failed
            self._api.replies.put(reply(match[1], body))
            self._answer(202, _ACCEPTED)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - Python's own name
        """Write nothing: the function's own lines are the log."""

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


_ACCEPTED = b'{"status":"OK"}'
_TOO_LARGE = (
    b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded'
    b' maximum allowed payload size (%d bytes)."}' % MAX_RESPONSE_BYTES
)


def _invocation_headers(invocation: Invocation) -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
    }
