from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_streams.cli._local.handler_errors import (
    HandlerError,
    HandlerErrors,
    logged_failure,
    response_error,
)
from cdk_streams.lambda_local import InvokeResponse

TRACE = [
    '  File "/var/task/lambda_runtime/_routing/dispatch.py", line 68, in take\n    call()\n',
    '  File "/var/task/orders/audit.py", line 9, in created\n    raise ValueError("no")\n',
    '  File "/usr/lib/python3.13/json/decoder.py", line 355, in raw_decode\n',
]


def raised(**body: Any) -> InvokeResponse:
    return InvokeResponse(
        "r-1",
        json.dumps(body).encode(),
        function_error="Unhandled",
        error_type=str(body.get("errorType")),
    )


def test_a_raised_error_has_its_message_and_the_handlers_own_lines() -> None:
    response = raised(errorType="ValueError", errorMessage="no", stackTrace=TRACE)
    assert response_error(response) == HandlerError(
        "ValueError", "no", ("orders/audit.py:9 in created",)
    )


def test_the_request_in_lambdas_own_messages_makes_no_other_error() -> None:
    one, other = (
        raised(errorType="Sandbox.Timedout", errorMessage=f"RequestId: {each} Error: timed out")
        for each in ("r-1", "r-2")
    )
    assert response_error(one) == response_error(other)


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b'{"stackTrace": 3}', b"\xff"])
def test_an_error_of_any_shape_is_shown(body: bytes) -> None:
    error = response_error(InvokeResponse("r", body, function_error="Unhandled"))
    assert error == HandlerError("Unhandled", "")


def test_what_was_returned_is_no_error() -> None:
    assert response_error(InvokeResponse("r", b"{}")) is None


def line(message: str = "stream record failed", **fields: Any) -> str:
    text = json.dumps({"message": message, "error_type": "KeyError", **fields})
    return f"[ERROR]\t2026-11-26T07:54:15.507Z\tr-1\t{text}"


def test_a_logged_failure_is_read_from_its_line() -> None:
    places = ["/var/task/lambda_runtime/x.py:68 take", "/var/task/audit.py:9 created"]
    text = line(error_message="'sku'", error_at=places)
    assert logged_failure(text) == HandlerError("KeyError", "'sku'", ("audit.py:9 in created",))


def test_a_rejected_record_is_said_to_be_one() -> None:
    found = logged_failure(line("stream record rejected"))
    assert found is not None
    assert found.verb == "rejected"


@pytest.mark.parametrize(
    "text",
    [
        "handled one",
        '{"message": "other"}',
        'a "stream record failed" {',
        '"stream record " {"message": 3, "error_type": "E"}',
        '"stream record " [{"message": "stream record failed"}]',
    ],
)
def test_any_other_line_is_none(text: str) -> None:
    assert logged_failure(text) is None


def test_an_error_is_described_once_and_then_counted() -> None:
    errors = HandlerErrors()
    error = HandlerError("KeyError", "'sku'", ("audit.py:9 in created",))
    assert errors.describe("Audit", error) == "KeyError: 'sku'\n    audit.py:9 in created"
    assert errors.describe("Audit", error).startswith("KeyError again, ")
    assert errors.describe("Audit", error).endswith("3")
    assert errors.describe("Mail", error).startswith("KeyError: 'sku'")
