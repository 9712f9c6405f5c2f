"""The Runtime API as a language runtime sees it: over HTTP, one request after another."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

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
    with contextlib.closing(RuntimeApi()) as started:
        yield started


def ask(
    api: RuntimeApi,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    root: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    address, _, token = api.address.partition("/")
    connection = http.client.HTTPConnection(address)
    prefix = f"/{token}{PREFIX}" if root is None else root
    connection.request(method, prefix + path, body, dict(headers or {}))
    response = connection.getresponse()
    answer = (response.status, dict(response.headers), response.read())
    connection.close()
    return answer


def run(api: RuntimeApi, request_id: str = "r-1") -> None:
    """Take one invocation, as a runtime does."""
    api.offer(replace(INVOCATION, request_id=request_id))
    assert ask(api, "GET", "/invocation/next")[0] == 200
    assert api.replies.get(timeout=10) == Ready()


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
    run(api, "r-1")
    assert ask(api, "POST", "/invocation/r-1/response", b"null")[0] == 202
    assert api.replies.get(timeout=10) == Responded("r-1", b"null")
    run(api, "r-2")
    assert ask(api, "POST", "/invocation/r-2/error", b'{"errorType":"E"}')[0] == 202
    assert api.replies.get(timeout=10) == Failed("r-2", b'{"errorType":"E"}')


def test_an_answer_to_another_request_is_refused(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/invocation/r-1/response", b"null")[0] == 400
    run(api, "r-1")
    status, _, body = ask(api, "POST", "/invocation/r-0/response", b"null")
    assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
    assert api.replies.empty()


def test_the_second_answer_to_a_request_is_refused(api: RuntimeApi) -> None:
    run(api, "r-1")
    assert ask(api, "POST", "/invocation/r-1/response", b"1")[0] == 202
    assert ask(api, "POST", "/invocation/r-1/response", b"2")[0] == 400
    run_next = api.replies.get(timeout=10)
    assert run_next == Responded("r-1", b"1")
    assert api.replies.empty()


def test_an_event_is_not_handed_out_while_another_runs(api: RuntimeApi) -> None:
    run(api, "r-1")
    api.offer(replace(INVOCATION, request_id="r-2"))
    assert ask(api, "GET", "/invocation/next")[0] == 403
    assert api.replies.empty()


def test_a_second_waiting_process_makes_the_environment_ready_once(api: RuntimeApi) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(api, "GET", "/invocation/next")[0]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    while api.waiting < 2:
        threads[0].join(0.01)
    assert api.replies.get(timeout=10) == Ready()
    api.offer(INVOCATION)
    while not answers:
        threads[0].join(0.01)
    assert ask(api, "POST", "/invocation/r-1/response", b"null")[0] == 202
    assert api.replies.get(timeout=10) == Responded("r-1", b"null")
    # The other one waits still, so the next event can be run at once.
    assert api.replies.get(timeout=10) == Ready()
    api.offer(replace(INVOCATION, request_id="r-2"))
    for thread in threads:
        thread.join(10)
    assert answers == [200, 200]


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ({"Origin": "https://example.com"}, None),
        ({"Host": "example.com"}, None),
        ({}, PREFIX),
        ({}, "/guessed" + PREFIX),
    ],
    ids=["a web page", "another host", "no token", "a wrong token"],
)
def test_whoever_does_not_know_the_address_is_refused(
    api: RuntimeApi, headers: dict[str, str], root: str | None
) -> None:
    run(api, "r-1")
    for method, path in (("POST", "/invocation/r-1/response"), ("POST", "/init/error")):
        assert ask(api, method, path, b"null", headers, root=root)[0] == 403
    assert ask(api, "GET", "/invocation/next", None, headers, root=root)[0] == 403
    assert api.replies.empty()


def test_a_length_that_is_no_number_ends_the_connection(api: RuntimeApi) -> None:
    address, _, token = api.address.partition("/")
    connection = http.client.HTTPConnection(address)
    connection.putrequest("POST", f"/{token}{PREFIX}/init/error")
    connection.putheader("Content-Length", "many")
    connection.endheaders()
    with pytest.raises(http.client.HTTPException):
        connection.getresponse()
    connection.close()
    assert api.replies.empty()


def test_an_import_error_has_no_request(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/init/error", b'{"errorType":"E"}')[0] == 202
    assert api.replies.get(timeout=10) == InitFailed(b'{"errorType":"E"}')


def test_an_answer_over_six_megabytes_is_refused_and_is_an_error(api: RuntimeApi) -> None:
    run(api)
    status, _, _ = ask(api, "POST", "/invocation/r-1/response", b"x" * (MAX_RESPONSE_BYTES + 1))
    assert status == 413
    reply = api.replies.get(timeout=10)
    assert isinstance(reply, Failed)
    assert b"Function.ResponseSizeTooLarge" in reply.body


def test_the_largest_answer_is_taken(api: RuntimeApi) -> None:
    run(api)
    assert ask(api, "POST", "/invocation/r-1/response", b"x" * MAX_RESPONSE_BYTES)[0] == 202


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/invocation/r-1")])
def test_an_unknown_path_is_not_found(api: RuntimeApi, method: str, path: str) -> None:
    assert ask(api, method, path, b"{}" if method == "POST" else None)[0] == 404


def test_each_api_has_an_address_of_its_own(api: RuntimeApi) -> None:
    with contextlib.closing(RuntimeApi()) as other:
        assert other.address.partition("/")[0] != api.address.partition("/")[0]
        assert other.address.partition("/")[2] != api.address.partition("/")[2]
        assert other.address.startswith("127.0.0.1:")
