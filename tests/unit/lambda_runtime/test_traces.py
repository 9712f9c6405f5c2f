"""The X-Ray subsegments of a batch, received on UDP and parsed as the daemon does."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdk_streams.simulator import in_order, insert, modify, remove
from lambda_runtime import Reject, RouteError, Router

TRACE = "Root=1-581cf771-a006649127e371903a2de979;Parent=70de5b6f19ff9a0a;Sampled=1;Lineage=1:0"
Received = Callable[[], list[dict[str, Any]]]
RECORDS = in_order(
    insert({"pk": "A", "card": "4111-secret"}),
    modify({"pk": "B", "n": 1}, {"pk": "B", "n": 2}),
    remove({"pk": "C"}),
)


def as_the_daemon(packet: bytes) -> dict[str, Any]:
    """Parse a packet: a header line, then a document that X-Ray accepts as a subsegment."""
    assert len(packet) <= 64_000
    header, _, body = packet.partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    document: dict[str, Any] = json.loads(body)
    assert document["type"] == "subsegment"
    assert re.fullmatch(r"[\w\s.:/%&#=+\\\-@]{1,200}", document["name"])
    for name in ("id", "parent_id"):
        assert re.fullmatch(r"[0-9a-f]{16}", document[name])
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", document["trace_id"])
    assert time.time() - 60 < document["start_time"] <= document["end_time"] <= time.time()
    for key, value in document["annotations"].items():
        assert re.fullmatch(r"\w+", key)
        assert type(value) in {str, int, bool, float}
    return document


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        daemon.setblocking(False)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
        monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")

        def packets() -> list[dict[str, Any]]:
            found = []
            while True:
                try:
                    found.append(as_the_daemon(daemon.recv(65_536)))
                except BlockingIOError:
                    return found

        yield packets


def router(**options: Any) -> Router:
    on = Router(trace=True, **options)

    @on.insert
    @on.modify
    @on.remove
    def audit(change: Any) -> None:
        if change.event_id == RECORDS[1]["eventID"]:
            raise ConnectionError("card 4111-secret")

    return on


def test_each_call_of_a_route_is_a_subsegment_below_the_function(received: Received) -> None:
    on = router()

    @on.insert
    def mail(_: Any, context: Any) -> None:
        assert context == "context"

    on.handler({"Records": RECORDS[:1]}, "context")

    first, second = received()
    assert [each["name"].rpartition(".")[2] for each in (first, second)] == ["audit", "mail"]
    assert first["trace_id"] == "1-581cf771-a006649127e371903a2de979"
    assert first["parent_id"] == "70de5b6f19ff9a0a"
    assert first["id"] != second["id"]
    assert second["annotations"] == {
        "route": mail.__qualname__,
        "event_name": "INSERT",
        "event_id": RECORDS[0]["eventID"],
        "sequence_number": RECORDS[0]["dynamodb"]["SequenceNumber"],
        "batch_size": 1,
    }


@pytest.mark.parametrize(("show", "text"), [((), None), (("message",), "card 4111-secret")])
def test_a_failed_call_is_a_fault_with_the_type_of_its_error(
    received: Received, show: tuple[str, ...], text: str | None
) -> None:
    answer = router(show=show).handler({"Records": RECORDS})

    ended, failed = received()
    assert len(answer["batchItemFailures"]) == 1
    assert "fault" not in ended
    assert failed["fault"] is True
    assert failed["annotations"]["event_name"] == "MODIFY"
    (exception,) = failed["cause"]["exceptions"]
    assert re.fullmatch(r"[0-9a-f]{16}", exception["id"])
    assert exception["type"] == "ConnectionError"
    assert exception.get("message") == text
    assert "4111-secret" not in json.dumps(ended)


def test_a_rejected_record_is_an_error_and_no_fault(received: Received) -> None:
    sent: list[str] = []
    on = Router(trace=True, on_reject=sent.append)

    @on.default
    def refuse(_: Any) -> None:
        raise Reject("no such product")

    assert on.handler({"Records": RECORDS}) == {"batchItemFailures": []}

    found = received()
    assert [(each.get("error"), each.get("fault")) for each in found] == [(True, None)] * 3
    assert [each["annotations"]["event_name"] for each in found] == ["INSERT", "MODIFY", "REMOVE"]


def test_a_large_batch_sends_a_hundred_calls_and_still_its_failure(received: Received) -> None:
    records = [insert({"pk": str(n)}, number=n) for n in range(1, 151)]
    on = Router(trace=True, concurrency=4)

    @on.insert
    def audit(change: Any) -> None:
        if change.keys["pk"] == "150":
            raise ValueError

    on.handler({"Records": records})

    found = received()
    assert sum("fault" not in each for each in found) == 100
    assert sum(each.get("fault", False) for each in found) == 1
    assert {each["annotations"]["batch_size"] for each in found} == {150}


def test_a_name_keeps_only_what_x_ray_takes(received: Received) -> None:
    on = Router(trace=True)
    on.default(lambda _: None)

    on.handler({"Records": RECORDS[:1]})

    (found,) = received()
    assert found["name"].endswith("._lambda_")
    assert found["annotations"]["route"].endswith(".<lambda>")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_X_AMZN_TRACE_ID", TRACE.replace("Sampled=1", "Sampled=0")),
        ("_X_AMZN_TRACE_ID", "Sampled=1"),
        ("_X_AMZN_TRACE_ID", ""),
        ("AWS_XRAY_DAEMON_ADDRESS", "nonsense"),
        ("AWS_XRAY_DAEMON_ADDRESS", "tcp:127.0.0.1:2000"),
        ("AWS_XRAY_DAEMON_ADDRESS", "no-such-host.invalid:2000"),
        ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:99999999"),
    ],
)
def test_without_a_trace_or_a_daemon_the_batch_is_handled_as_ever(
    received: Received, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    answer = router().handler({"Records": [RECORDS[0]]})

    assert answer == {"batchItemFailures": []}
    assert received() == []


def test_the_address_may_name_both_protocols(
    received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    udp = os.environ["AWS_XRAY_DAEMON_ADDRESS"]
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"tcp:127.0.0.1:1 udp:{udp}")

    router().handler({"Records": [RECORDS[0]]})

    assert len(received()) == 1


def test_nothing_is_imported_where_the_invocation_is_not_sampled() -> None:
    code = (
        "import sys\nfrom lambda_runtime import Router\non = Router(trace=True)\n"
        "on.default(lambda change: None)\non.handler({'Records': []})\n"
        "print('lambda_runtime._batches.traces' in sys.modules, 'socket' in sys.modules)"
    )

    found = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert found.stdout.split() == ["False", "False"]


def test_trace_is_true_or_false() -> None:
    with pytest.raises(RouteError, match="trace must be True or False, got 'yes'"):
        Router(trace="yes")  # type: ignore[arg-type]
