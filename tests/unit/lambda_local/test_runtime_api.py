"""The Runtime API as a language runtime sees it: over HTTP, one request after another."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import pytest

from cdk_streams.lambda_local._runtime_api import (
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Responded,
    RuntimeApi,
)
from cdk_streams.mapping import MAX_RESPONSE_BYTES

INVOCATION = Invocation("r-1", b'{"Records":[]}', 1_700_000_000_000, "arn:aws:lambda:x:1:f")
PREFIX = "/2018-06-01/runtime"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as started:
        yield started


def ask(
    api: RuntimeApi, method: str, path: str, body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(api.address)
    connection.request(method, PREFIX + path, body)
    response = connection.getresponse()
    answer = (response.status, dict(response.headers), response.read())
    connection.close()
    return answer


def test_next_hands_out_the_event_with_lambdas_headers(api: RuntimeApi) -> None:
    api.offer(INVOCATION)
    status, headers, body = ask(api, "GET", "/invocation/next")
    assert (status, body) == (200, b'{"Records":[]}')
    assert headers["Lambda-Runtime-Aws-Request-Id"] == "r-1"
    assert headers["Lambda-Runtime-Deadline-Ms"] == "1700000000000"
    assert headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:x:1:f"


def test_next_waits_until_there_is_an_invocation(api: RuntimeApi) -> None:
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask(api, "GET", "/invocation/next")[2]))
    asking.start()
    assert api.replies.get(timeout=10) == Ready()
    assert answers == []
    api.offer(INVOCATION)
    asking.join(10)
    assert answers == [b'{"Records":[]}']


def test_an_answer_and_an_error_carry_their_request(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/invocation/r-1/response", b"null")[0] == 202
    assert ask(api, "POST", "/invocation/r-2/error", b'{"errorType":"E"}')[0] == 202
    assert api.replies.get(timeout=10) == Responded("r-1", b"null")
    assert api.replies.get(timeout=10) == Failed("r-2", b'{"errorType":"E"}')


def test_an_import_error_has_no_request(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/init/error", b'{"errorType":"E"}')[0] == 202
    assert api.replies.get(timeout=10) == InitFailed(b'{"errorType":"E"}')


def test_an_answer_over_six_megabytes_is_refused_and_is_an_error(api: RuntimeApi) -> None:
    status, _, _ = ask(api, "POST", "/invocation/r-1/response", b"x" * (MAX_RESPONSE_BYTES + 1))
    assert status == 413
    reply = api.replies.get(timeout=10)
    assert isinstance(reply, Failed)
    assert b"Function.ResponseSizeTooLarge" in reply.body


def test_the_largest_answer_is_taken(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/invocation/r-1/response", b"x" * MAX_RESPONSE_BYTES)[0] == 202


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/invocation/r-1")])
def test_an_unknown_path_is_not_found(api: RuntimeApi, method: str, path: str) -> None:
    assert ask(api, method, path, b"{}" if method == "POST" else None)[0] == 404


def test_each_api_has_a_port_of_its_own(api: RuntimeApi) -> None:
    with RuntimeApi() as other:
        assert other.address != api.address
        assert other.address.startswith("127.0.0.1:")
