"""A proxy on loopback before a JSON endpoint of AWS: it may answer, change, break or pass on.

    with LoopbackProxy(lambda request: forward("127.0.0.1:8000", request)) as proxy:
        boto3.client("dynamodbstreams", endpoint_url=proxy.endpoint_url, …)

For tests of what a real endpoint cannot be told to do.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeAlias

from cdk_streams._loopback import LoopbackHandler, LoopbackServer

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
        self._server = LoopbackServer(partial(_Exchange, answer), "loopback-proxy")

    @property
    def endpoint_url(self) -> str:
        """Return where it listens: `http://127.0.0.1:40561`."""
        return f"http://{self._server.address}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering."""
        self._server.close()


class _Exchange(LoopbackHandler):
    def __init__(self, answer: Answering, *connection: Any) -> None:
        self._answer_to = answer
        super().__init__(*connection)

    def do_POST(self) -> None:  # noqa: N802 - http.server's own name
        """Answer one request."""
        body = self.read_body()
        if body is None:  # The client was killed while it asked.
            return
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        reply = self._answer_to(Request(operation, self.path, dict(self.headers), body))
        if reply is None or reply.cut:
            self.close_connection = True
        if reply is None:
            return
        shown = {"Content-Type": "application/x-amz-json-1.0"}
        if reply.cut:
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.wfile.flush()
        else:
            self.answer(reply.status, reply.body, shown)
