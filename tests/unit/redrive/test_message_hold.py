"""Messages stay hidden for as long as thousands of calls take."""

from __future__ import annotations

from typing import Any

from cdk_streams.redrive import FailureMessage, MessageHold


class Queue:
    """Writes down which receipts were hidden for how long; those in `ended` are visible again."""

    def __init__(self, *ended: str) -> None:
        self.ended = ended
        self.asked: list[tuple[list[str], int]] = []

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        receipts = [each["ReceiptHandle"] for each in request["Entries"]]
        self.asked.append((receipts, request["Entries"][0]["VisibilityTimeout"]))
        return {
            "Failed": [
                {"Id": each["Id"], "Code": "AWS.SimpleQueueService.MessageNotInflight"}
                for each in request["Entries"]
                if each["ReceiptHandle"] in self.ended
            ]
        }


def messages(count: int) -> list[FailureMessage]:
    return [FailureMessage({}, f"r-{n}", "url", f"m-{n}") for n in range(count)]


def test_messages_are_hidden_at_first_and_then_every_four_minutes() -> None:
    queue, now_s = Queue(), [0.0]
    hold = MessageHold(queue, messages(2), lambda: now_s[0])
    for moment in (0, 1, 239, 240, 241, 480):
        now_s[0] = moment
        hold.renew()
    assert queue.asked == [(["r-0", "r-1"], 1220)] * 3


def test_a_message_that_others_may_have_is_told_and_not_renewed() -> None:
    queue, now_s = Queue("r-1"), [0.0]
    two = messages(2)
    with MessageHold(queue, two, lambda: now_s[0]) as hold:
        hold.renew()
        assert [hold.has_ended(each) for each in two] == [False, True]
    assert queue.asked[1:] == [(["r-0"], 0)]


def test_what_is_left_is_shown_ten_a_request() -> None:
    queue = Queue()
    held = messages(25)
    with MessageHold(queue, held) as hold:
        hold.forget(held[0])
        hold.release(held[1:3])
    sizes = [(len(receipts), hidden_s) for receipts, hidden_s in queue.asked]
    assert sizes == [(2, 0), (10, 0), (10, 0), (2, 0)]
