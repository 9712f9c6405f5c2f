"""A proxy on loopback before a JSON endpoint of AWS: it may answer, change, break or pass on.

    with LoopbackProxy(lambda request: forward("127.0.0.1:8000", request)) as proxy:
        boto3.client("dynamodbstreams", endpoint_url=proxy.endpoint_url, …)

For tests of what a real endpoint cannot be told to do.
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

__all__ = ["Answering", "LoopbackProxy", "Reply", "Request", "forward"]

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; `operation` is the last word of its target: `GetRecords`."""

    operation: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; `cut`: the connection breaks in the middle of it."""

    status: int
    body: bytes
    cut: bool = False


# None: the connection breaks before the answer. Called from several threads.
Answering: TypeAlias = Callable[[Request], Reply | None]


def forward(address: str, request: Request) -> Reply:
    """Pass the request on to `127.0.0.1:8000` and return what comes back."""
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    try:
        headers = {**request.headers, "Content-Length": str(len(request.body))}
        connection.request("POST", request.path, request.body, headers)
        response = connection.getresponse()
        return Reply(response.status, response.read())
    finally:
        connection.close()


class LoopbackProxy:
    """Answers with `answer` while the block runs, on a free port of 127.0.0.1."""

    def __init__(self, answer: Answering) -> None:
        self._server = _Server(("127.0.0.1", 0), partial(_Exchange, answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def endpoint_url(self) -> str:
        """Return where it listens: `http://127.0.0.1:40561`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing of a client that is killed while it waits."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two, every answer waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 65536

    def __init__(self, answer: Answering, *connection: Any) -> None:
        self._answer = answer
        super().__init__(*connection)

    def do_POST(self) -> None:
        """Answer one request."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # The client was killed while it asked.
            return
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        reply = self._answer(Request(operation, self.path, dict(self.headers), body))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.wfile.flush()
        if reply.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - Python's own name
        """Print nothing."""
