"""What an operator sees of a record that was not handled, and what they never see."""

from __future__ import annotations

import io
import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambda_runtime import Reject, Router, lag_s

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD = "4111-1111-1111-1111"


@pytest.fixture
def secret_event(make_record: Any) -> dict[str, Any]:
    records = [make_record(number, new={"card": {"S": CARD}}) for number in (1, 2, 3)]
    return {"Records": records}


def quoting(**settings: Any) -> Router:
    """A router whose handler fails at record 2 and quotes the item, as errors like to do."""
    on = Router(**settings)

    @on.insert
    def charge(change: Any) -> None:
        if change.event_id.endswith("2"):
            raise ValueError(f"card {change.new['card']} was declined")

    return on


def only_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = caplog.records
    line: dict[str, Any] = json.loads(record.getMessage())
    return line


@pytest.mark.usefixtures("partial_response")
def test_a_failed_record_is_one_line_with_its_ids_its_route_and_the_type_of_its_error(
    secret_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    quoting().handler(secret_event)

    line = only_line(caplog)
    assert caplog.records[0].levelname == "ERROR"
    assert caplog.records[0].name == "lambda_runtime"
    assert line.pop("lag_s") >= 0
    (place,) = [at for at in line.pop("error_at") if at.endswith(" charge")]
    assert "test_log_lines.py:" in place
    failed = secret_event["Records"][1]
    assert line == {
        "message": "stream record failed",
        "event_id": failed["eventID"],
        "event_name": "INSERT",
        "sequence_number": failed["dynamodb"]["SequenceNumber"],
        "stream_arn": failed["eventSourceARN"],
        "position": 1,
        "batch_size": 3,
        "route": "quoting.<locals>.charge",
        "error_type": "ValueError",
    }


@pytest.mark.usefixtures("partial_response")
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_neither_the_item_nor_the_errors_message_is_logged_unless_asked_for(
    secret_event: Any, log_format: str, monkeypatch: pytest.MonkeyPatch, lambda_log: Any
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)

    quoting().handler(secret_event)
    assert "stream record failed" in lambda_log.getvalue()
    assert CARD not in lambda_log.getvalue()
    assert "declined" not in lambda_log.getvalue()

    quoting(show=["message"]).handler(secret_event)
    assert f"card {CARD} was declined" in lambda_log.getvalue()


@pytest.mark.usefixtures("partial_response")
def test_the_whole_record_is_logged_when_asked_for(
    secret_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    quoting(show=("record",)).handler(secret_event)

    line = only_line(caplog)
    assert line["record"] == secret_event["Records"][1]
    assert "error_message" not in line


@pytest.fixture
def lambda_log() -> Iterator[io.StringIO]:
    """What Lambda's own client writes: its JSON formatter on the root logger."""
    bootstrap = pytest.importorskip("awslambdaric.lambda_runtime_log_utils")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(bootstrap.JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.mark.usefixtures("partial_response")
def test_with_lambdas_json_logging_the_fields_are_fields_of_the_line(
    secret_event: Any, monkeypatch: pytest.MonkeyPatch, lambda_log: Any
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")

    quoting().handler(secret_event)

    line = json.loads(lambda_log.getvalue())
    assert (line["level"], line["logger"]) == ("ERROR", "lambda_runtime")
    assert line["message"] == "stream record failed"
    assert line["error_type"] == "ValueError"
    assert line["position"] == 1


def test_a_record_that_cannot_be_read_is_logged_without_a_route(
    secret_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret_event["Records"][0]["eventName"] = "UPSERT"

    with pytest.raises(ValueError, match="UPSERT"):
        quoting().handler(secret_event)

    line = only_line(caplog)
    assert "route" not in line
    assert line["error_type"] == "EventError"


def test_a_rejected_record_is_a_warning(
    secret_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    on = Router(on_reject=lambda _message: None)

    @on.insert
    def charge(change: Any) -> None:
        if change.event_id.endswith("2"):
            raise Reject("declined")

    on.handler(secret_event)

    line = only_line(caplog)
    assert caplog.records[0].levelname == "WARNING"
    assert (line["message"], line["error_type"]) == ("stream record rejected", "Reject")


@pytest.mark.usefixtures("partial_response")
def test_a_batch_ended_near_the_deadline_is_a_warning(
    secret_event: Any, make_context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    context = make_context(1_000)
    on = Router()
    on.insert(lambda _: context.pass_ms(950))

    on.handler(secret_event, context)

    line = only_line(caplog)
    assert caplog.records[0].levelname == "WARNING"
    assert (line["message"], line["position"]) == ("stream batch ended near the deadline", 1)


@pytest.mark.usefixtures("partial_response")
def test_every_failure_of_a_batch_on_threads_is_logged(
    secret_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    all_at_once = threading.Barrier(3, timeout=30)
    on = Router(concurrency=3)

    @on.insert
    def charge(_change: Any) -> None:
        all_at_once.wait()
        raise ValueError("declined")

    on.handler(secret_event)

    positions = [json.loads(record.getMessage())["position"] for record in caplog.records]
    assert sorted(positions) == [0, 1, 2]


def test_a_batch_in_which_nothing_fails_logs_nothing(
    make_event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    quoting().handler({"Records": make_event(1)["Records"]})

    assert caplog.records == []


def test_settings_of_show_are_checked() -> None:
    with pytest.raises(ValueError, match='show must hold "message", "record" or nothing'):
        Router(show=["everything"])  # type: ignore[list-item]


def test_the_lag_is_the_age_of_the_oldest_record(make_event: Any) -> None:
    records = make_event(2)["Records"]
    created = records[0]["dynamodb"]["ApproximateCreationDateTime"]
    records[1]["dynamodb"]["ApproximateCreationDateTime"] = created + 60

    assert lag_s(records, now=created + 90.25) == 90.25
    assert lag_s(records, now=created - 5) == 0  # Clocks differ; a lag is not negative.


@pytest.mark.parametrize(
    "records",
    [
        *([], [{}], ["text"], [{"dynamodb": {}}], [None]),
        [{"dynamodb": {"ApproximateCreationDateTime": float("nan")}}],
        [{"dynamodb": {"ApproximateCreationDateTime": float("-inf")}}],
    ],
)
def test_there_is_no_lag_without_a_time(records: list[Any]) -> None:
    assert lag_s(records, now=0) is None


def test_a_time_beyond_all_times_leaves_the_lag_out() -> None:
    records = [{"dynamodb": {"ApproximateCreationDateTime": 10**400}}]
    assert lag_s(records, now=0) is None


@pytest.mark.parametrize("log_format", ["", "JSON"])
def test_a_line_is_json_whatever_a_record_holds(
    log_format: str, make_record: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", log_format)
    record = make_record(1)
    record["dynamodb"]["ApproximateCreationDateTime"] = float("nan")
    on = Router(show=["record"])

    @on.insert
    def fail(_change: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        on.handler({"Records": [record]})

    (line,) = caplog.records
    shown = line.record if log_format else json.loads(line.getMessage())["record"]
    assert shown["dynamodb"]["ApproximateCreationDateTime"] == "NaN"
    assert not hasattr(line, "lag_s")
