"""Real services for the live driver: a local AWS, and Amazon's DynamoDB Local beside it."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from cdk_streams.operations.dynamodb_local import dynamodb_local, fetch, missing
from cdk_streams.operations.local_aws import LocalAws, client, local_aws

CACHE = Path(__file__).parents[3] / ".cache"
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=20)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with local_aws() as started:
        yield started


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    if (why_not := missing()) is not None:
        pytest.skip(why_not)
    with dynamodb_local(fetch(CACHE)) as endpoint_url:
        yield endpoint_url


def at(endpoint_url: str) -> Callable[[str], Any]:
    """Return the maker of clients of one endpoint; they retry nothing, so every fault shows."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    return lambda service: session.client(
        service,  # type: ignore[call-overload] # any service's name
        endpoint_url=endpoint_url,
        config=_ONCE,
    )


@pytest.fixture(params=["DynamoDB Local", "ministack"])
def any_client(request: pytest.FixtureRequest, aws: LocalAws) -> Callable[[str], Any]:
    """Return clients of DynamoDB Local or of the local AWS; its queues serve both."""

    def near(service: str) -> Any:
        return client(aws, service)

    if request.param == "ministack":
        return near
    amazon = at(request.getfixturevalue("dynamodb_endpoint"))
    return lambda service: (amazon if service.startswith("dynamodb") else near)(service)


@pytest.fixture
def fault_proxy() -> type[FaultProxy]:
    """Return the proxy, because a test cannot import what stands beside it."""
    return FaultProxy


@pytest.fixture(scope="session")
def clients_at() -> Callable[[str], Callable[[str], Any]]:
    """Return the maker of clients of any endpoint, which retry nothing."""
    return at


ERRORS = {
    "throttled": (400, "ThrottlingException"),
    "limited": (400, "LimitExceededException"),
    "failed": (500, "InternalServerError"),
    "expired": (400, "ExpiredIteratorException"),
}
KINDS = (*ERRORS, "broken before", "broken within")


class FaultProxy:
    """A proxy in front of `target`: each request has a fault with probability `rate`.

    Some requests get one of AWS's own errors; for some the connection breaks before the answer,
    or in the middle of it. What happens is drawn from `seed`.
    """

    def __init__(self, target: str, *, seed: int, rate: float) -> None:
        self.target = urlsplit(target).netloc
        self.counts: Counter[str] = Counter()
        self._draws = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._rate = rate
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Forward, self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault(self, operation: str) -> str | None:
        """Draw what happens to a request of `operation`, and count it."""
        with self._lock:
            kind = None
            if self._draws.random() < self._rate:
                kind = self._draws.choice(KINDS)
            if kind == "expired" and operation != "GetRecords":
                kind = "throttled"
            self.counts[kind or "forwarded"] += 1
            return kind


class _Forward(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def __init__(self, proxy: FaultProxy, *connection: Any) -> None:
        self._proxy = proxy
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", ".").rsplit(".", 1)[1]
        kind = self._proxy.fault(operation)
        if kind == "broken before":
            self.close_connection = True
            return
        if kind in ERRORS:
            status, code = ERRORS[kind]
            self._answer(status, json.dumps({"__type": code, "message": "injected"}).encode())
            return
        connection = http.client.HTTPConnection(self._proxy.target, timeout=30)
        try:
            connection.request("POST", self.path, body, dict(self.headers))
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        self._answer(response.status, answer, cut=kind == "broken within")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - Python's own name
        pass

    def _answer(self, status: int, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self.close_connection = True
