"""An HTTP server on loopback: a free port of 127.0.0.1, a thread for each connection.

server = LoopbackServer(partial(Handler, state), "runtime-api")
server.address  # "127.0.0.1:40123"
server.close()
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["LoopbackHandler", "LoopbackServer"]


class LoopbackHandler(BaseHTTPRequestHandler):
    """Handles the requests of one connection; a subclass has `do_GET` and `do_POST`.

    The standard library's way to write a server is a subclass; this one holds what ours share.
    """

    protocol_version = "HTTP/1.1"
    # A buffered file and no Nagle delay send header and body in one packet; without them every
    # answer waits 40 ms for the peer's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 65536

    def handle(self) -> None:
        """Handle the connection until it ends, also when the client is killed."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def read_body(self) -> bytes | None:
        """Return the request's body; None when its length is wrong or the client is gone."""
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdecimal() else None
        if body is None or len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send one answer; its content type is JSON unless `headers` name another."""
        self.send_response(status)
        shown = {"Content-Type": "application/json", **(headers or {})}
        for name, value in {**shown, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - Python's own name
        """Print nothing."""


class LoopbackServer:
    """Serves from the moment it is made until `close`, without waiting for its connections."""

    def __init__(self, handler: Callable[..., LoopbackHandler], name: str) -> None:
        made: Any = handler
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), made)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=name,
            daemon=True,
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens: `127.0.0.1:40123`."""
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
