from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_streams.redrive._queue_messages import FailureMessage, discard, receive_messages


class Queue:
    """A queue in memory that answers as boto3's client does, two messages at a time."""

    def __init__(self, *bodies: str) -> None:
        self.messages = {f"receipt-{n}": body for n, body in enumerate(bodies)}
        self._received: set[str] = set()

    def receive_message(self, **_request: Any) -> dict[str, Any]:
        page = [each for each in self.messages if each not in self._received][:2]
        self._received.update(page)
        messages = [{"Body": self.messages[each], "ReceiptHandle": each} for each in page]
        return {"Messages": messages} if messages else {}

    def delete_message(self, **request: Any) -> None:
        del self.messages[request["ReceiptHandle"]]


def received(queue: Queue) -> list[FailureMessage]:
    return [each for page in receive_messages(queue, "url") for each in page]


def test_every_message_is_read_and_one_from_a_topic_is_unwrapped() -> None:
    wrapped = json.dumps({"Type": "Notification", "Message": json.dumps({"n": 2})})
    queue = Queue(json.dumps({"n": 0}), json.dumps({"n": 1}), wrapped)
    failures = received(queue)
    assert [each.body for each in failures] == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[1]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
        "[NaN]",
        '{"n": Infinity}',
        '{"Type": "Notification"}',
        '{"Type": "Notification", "Message": 3}',
        json.dumps({"Type": "Notification", "Message": "[" * 100_000}),
    ],
)
def test_a_foreign_message_does_not_hide_those_behind_it(text: str) -> None:
    queue = Queue(text, json.dumps({"n": 1}))
    assert [each.body for each in received(queue)] == [{}, {"n": 1}]


def test_discard_deletes_that_message_only() -> None:
    queue = Queue("{}", "{}")
    discard(queue, FailureMessage({}, "receipt-1", "url"))
    assert list(queue.messages) == ["receipt-0"]


def test_a_payload_in_a_message_is_left_out() -> None:
    (message,) = received(Queue(json.dumps({"n": 1, "payload": "{}"})))
    assert message.body == {"n": 1}
