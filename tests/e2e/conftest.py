"""Real services for the tests: a local AWS, DynamoDB Local beside it, and faults in front of it."""

from __future__ import annotations

import functools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from cdk_streams.local import LocalAws, client, local_aws
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing
from tests.bench.loopback_proxy import LoopbackProxy, Reply, Request, forward

CACHE = Path(__file__).parents[2] / ".cache"
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


@pytest.fixture(scope="session")
def clients_at() -> Callable[[str], Callable[[str], Any]]:
    """Return the maker of clients of any endpoint, which retry nothing."""
    return at


@pytest.fixture(params=["DynamoDB Local", "ministack"])
def endpoint(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def times_by_minute(endpoint: str) -> bool:
    return endpoint == "DynamoDB Local"


@pytest.fixture(scope="session")
def near(aws: LocalAws) -> Callable[[str], Any]:
    """Return clients of the local AWS, each made once: that takes longer than many a test."""
    return functools.cache(lambda service: client(aws, service))


@pytest.fixture(scope="session")
def amazon(dynamodb_endpoint: str) -> Callable[[str], Any]:
    """Return clients of DynamoDB Local."""
    return functools.cache(at(dynamodb_endpoint))


@pytest.fixture
def any_client(
    request: pytest.FixtureRequest, endpoint: str, near: Callable[[str], Any]
) -> Callable[[str], Any]:
    """Return clients of DynamoDB Local or of the local AWS; its queues serve both."""
    if endpoint == "ministack":
        return near
    of_dynamodb = request.getfixturevalue("amazon")
    return lambda service: (of_dynamodb if service.startswith("dynamodb") else near)(service)


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
        self.counts: Counter[str] = Counter()
        self._target = urlsplit(target).netloc
        self._draws = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._rate = rate
        self._lock = threading.Lock()
        self._proxy = LoopbackProxy(self._answer)

    @property
    def endpoint_url(self) -> str:
        return self._proxy.endpoint_url

    def __enter__(self) -> Self:
        self._proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.__exit__()

    def _answer(self, request: Request) -> Reply | None:
        kind = self._fault(request.operation)
        if kind == "broken before":
            return None
        if kind in ERRORS:
            status, code = ERRORS[kind]
            return Reply(status, json.dumps({"__type": code, "message": "injected"}).encode())
        reply = forward(self._target, request)
        return Reply(reply.status, reply.body, cut=kind == "broken within")

    def _fault(self, operation: str) -> str | None:
        """Draw what happens to a request of `operation`, and count it."""
        with self._lock:
            kind = None
            if self._draws.random() < self._rate:
                kind = self._draws.choice(KINDS)
            if kind == "expired" and operation != "GetRecords":
                kind = "throttled"
            self.counts[kind or "forwarded"] += 1
            return kind


@pytest.fixture
def fault_proxy() -> type[FaultProxy]:
    """Return the proxy, because a test cannot import what stands beside it."""
    return FaultProxy
