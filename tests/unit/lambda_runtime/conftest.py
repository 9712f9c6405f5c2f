"""What the runtime's tests share: stream records as Lambda sends them, and a Lambda context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-02T03:04:05.678"
FIRST_SEQUENCE_NUMBER = 3_800_002_862_244_222_465_263


class MakeRecord(Protocol):
    """`make_record(2)` is the second record of a shard, `{"pk": {"S": "item-2"}}` inserted."""

    def __call__(
        self,
        number: int = 1,
        event_name: str = "INSERT",
        *,
        keys: dict[str, Any] | None = None,
        new: dict[str, Any] | None = None,
        old: dict[str, Any] | None = None,
        expired: bool = False,
    ) -> dict[str, Any]: ...


class FakeContext:
    """A Lambda context whose clock runs only when told: `context.pass_ms(500)`."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def __init__(self, remaining_ms: int) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(self.remaining_ms, 0)

    def pass_ms(self, elapsed_ms: int) -> None:
        self.remaining_ms -= elapsed_ms


def _record(
    number: int = 1,
    event_name: str = "INSERT",
    *,
    keys: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    expired: bool = False,
) -> dict[str, Any]:
    keys = keys or {"pk": {"S": f"item-{number}"}}
    images = {}
    if event_name != "REMOVE":
        images["NewImage"] = {**keys, **(new or {})}
    if event_name != "INSERT":
        images["OldImage"] = {**keys, **(old or {})}
    record: dict[str, Any] = {
        "eventID": f"{number:032x}",
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": keys,
            **images,
            "SequenceNumber": str(FIRST_SEQUENCE_NUMBER + number),
            "SizeBytes": 61,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM_ARN,
    }
    if expired:
        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return record


@pytest.fixture
def make_record() -> MakeRecord:
    return _record


@pytest.fixture
def make_event() -> Callable[[int], dict[str, Any]]:
    """`make_event(3)` holds records 1 to 3, each an insert of another item."""
    return lambda count: {"Records": [_record(number) for number in range(1, count + 1)]}


@pytest.fixture
def failed_at() -> Callable[[int], dict[str, Any]]:
    """`failed_at(2)` is the response that names record 2 of the shard."""
    return lambda number: {
        "batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE_NUMBER + number)}]
    }


@pytest.fixture
def make_context() -> Callable[[int], FakeContext]:
    return FakeContext


@pytest.fixture
def partial_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mapping has ReportBatchItemFailures, as StreamConsumer tells the function."""
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STREAM_PARTIAL_RESPONSE", "STREAM_REJECT_QUEUE_URL", "AWS_LAMBDA_LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)
