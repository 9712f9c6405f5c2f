from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.mapping import MappingSettings
from cdk_streams.simulator import Counts, Invocation, insert, simulate
from cdk_streams.simulator._records import START

ONE_TRY = MappingSettings(retry_attempts=0)
PARTIAL = MappingSettings(retry_attempts=0, report_batch_item_failures=True)


def _records(count: int, every: float = 0) -> list[dict[str, Any]]:
    return [
        insert({"pk": str(number)}, number=number, at=START + timedelta(seconds=every * number))
        for number in range(1, count + 1)
    ]


def _nothing(_event: Any, _context: Any) -> None:
    return None


def test_a_run_tells_each_call() -> None:
    run = simulate(_nothing, _records(2))
    (call,) = run.invocations
    assert call == Invocation(
        sequence_numbers=tuple(each["dynamodb"]["SequenceNumber"] for each in _records(2)),
        request_id=call.request_id,
        attempt=1,
        at=timedelta(0),
        outcome="handled",
        shard_id="shardId-00000001789654273755-3d110129",
    )
    assert run.counts == Counts(handled=2)
    assert run.failures == []
    assert run.took == timedelta(0)


def test_outcomes_tell_what_lambda_made_of_a_call() -> None:
    answers: Iterator[Any] = iter(["partial", "timeout", "raise", None])
    third = _records(4)[2]["dynamodb"]["SequenceNumber"]

    def handler(_event: Any, context: Any) -> Any:
        answer = next(answers)
        if answer == "partial":
            return {"batchItemFailures": [{"itemIdentifier": third}]}
        if answer == "timeout":
            context.spend(60)
        if answer == "raise":
            raise KeyError(answer)
        return answer

    settings = MappingSettings(report_batch_item_failures=True)
    run = simulate(handler, _records(4), settings=settings)
    outcomes = [call.outcome for call in run.invocations]
    assert outcomes == ["partial", "timeout", "failed", "handled"]
    assert isinstance(run.invocations[2].error, KeyError)
    assert run.metrics["Errors"] == 2


def test_failure_records_are_kept_without_a_destination() -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise ValueError

    run = simulate(handler, _records(1), settings=ONE_TRY)
    assert run.failures[0]["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert run.deliveries == []


def test_a_delivery_is_the_text_that_is_sent() -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise ValueError

    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    settings = MappingSettings(retry_attempts=0, on_failure=arn)
    run = simulate(handler, _records(1), settings=settings)
    (delivery,) = run.deliveries
    assert delivery.destination == arn
    assert json.loads(delivery.text) == run.failures[0]
    assert delivery.delivered


def test_a_handler_that_runs_into_its_timeout_is_stopped_there() -> None:
    steps: list[str] = []

    def handler(_event: Any, context: Any) -> None:
        steps.append("before")
        context.spend(1)
        assert context.get_remaining_time_in_millis() == 1_000
        context.spend(1)
        steps.append("after")

    run = simulate(handler, _records(1), settings=ONE_TRY, timeout=timedelta(seconds=2))
    assert steps == ["before"]
    (call,) = run.invocations
    assert call.outcome == "timeout"
    assert call.took == timedelta(seconds=2)
    body = run.failures[0]
    assert body["responseContext"]["functionError"] == "Unhandled"
    assert body["timestamp"] == "2026-01-01T00:00:02.000Z"


def test_a_handler_cannot_outlive_its_timeout_by_catching_everything() -> None:
    def handler(_event: Any, context: Any) -> None:
        try:
            context.spend(100)
        except BaseException:  # noqa: BLE001 - what this test is about
            return

    run = simulate(handler, _records(1), settings=ONE_TRY)
    assert run.invocations[0].outcome == "timeout"


def test_a_call_takes_the_time_it_is_given() -> None:
    run = simulate(
        _nothing,
        _records(3),
        settings=MappingSettings(batch_size=1),
        duration=lambda event: timedelta(seconds=len(event["Records"])),
    )
    assert [call.at.total_seconds() for call in run.invocations] == [0, 1, 2]
    late = simulate(_nothing, _records(1), settings=ONE_TRY, duration=timedelta(seconds=3))
    assert late.invocations[0].outcome == "timeout"


class Odd:
    """Nothing that JSON knows."""


@pytest.mark.parametrize("answer", [Odd(), {1, 2}, b"text", {"batchItemFailures": Odd()}])
def test_an_answer_that_is_no_json_is_a_function_error(answer: Any) -> None:
    run = simulate(lambda _event, _context: answer, _records(1), settings=ONE_TRY)
    assert run.invocations[0].outcome == "failed"
    assert run.failures[0]["responseContext"]["functionError"] == "Unhandled"


def test_an_answer_that_holds_itself_is_a_function_error() -> None:
    answer: dict[str, Any] = {}
    answer["self"] = answer
    run = simulate(lambda _event, _context: answer, _records(1), settings=ONE_TRY)
    assert run.invocations[0].outcome == "failed"


def test_an_answer_past_6_mb_is_a_function_error() -> None:
    run = simulate(lambda _event, _context: "x" * 6_300_000, _records(1), settings=ONE_TRY)
    assert run.invocations[0].outcome == "failed"


@pytest.mark.parametrize("answer", [Decimal("1.5"), (1, 2), {1: 2}, "text", float("inf"), True])
def test_an_answer_that_json_can_hold_is_success(answer: Any) -> None:
    run = simulate(lambda _event, _context: answer, _records(1), settings=ONE_TRY)
    assert run.invocations[0].outcome == "handled"


@pytest.mark.parametrize("error", [SystemExit(1), RecursionError(), MemoryError(), StopIteration()])
def test_whatever_a_handler_raises_fails_the_call(error: BaseException) -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise error

    run = simulate(handler, _records(1), settings=ONE_TRY)
    assert run.invocations[0].error is error


def test_a_tests_own_failure_is_not_the_functions() -> None:
    def handler(_event: Any, _context: Any) -> None:
        pytest.fail("not for the poller")

    with pytest.raises(BaseException, match="not for the poller"):
        simulate(handler, _records(1))


def test_what_a_handler_does_to_its_event_ends_with_the_call() -> None:
    sizes: list[int] = []

    def handler(event: Any, _context: Any) -> None:
        sizes.append(len(event["Records"]))
        event["Records"].clear()
        raise ValueError

    records = _records(3)
    simulate(handler, records, settings=MappingSettings(retry_attempts=2))
    assert sizes == [3, 3, 3]
    assert records == _records(3)


def test_the_context_is_that_of_the_function() -> None:
    seen: list[Any] = []
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:audit:live"
    run = simulate(
        lambda _event, context: seen.append(context),
        _records(1),
        function_name="audit",
        function_arn=arn,
        executed_version="7",
        memory_mb=256,
        timeout=timedelta(minutes=1),
    )
    (context,) = seen
    assert context.aws_request_id == run.invocations[0].request_id
    assert context.function_name == "audit"
    assert context.function_version == "7"
    assert context.invoked_function_arn == arn
    assert context.memory_limit_in_mb == "256"
    assert context.log_group_name == "/aws/lambda/audit"
    assert context.get_remaining_time_in_millis() == 60_000


@pytest.mark.parametrize(("settings", "told"), [(PARTIAL, "1"), (ONE_TRY, None)])
@pytest.mark.parametrize("before", ["1", "0", None])
def test_the_handler_is_told_whether_its_report_is_read(
    settings: MappingSettings, told: str | None, before: str | None, monkeypatch: Any
) -> None:
    if before is None:
        monkeypatch.delenv("STREAM_PARTIAL_RESPONSE", raising=False)
    else:
        monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", before)
    seen: list[str | None] = []

    def handler(_event: Any, _context: Any) -> None:
        seen.append(os.environ.get("STREAM_PARTIAL_RESPONSE"))

    simulate(handler, _records(1), settings=settings)
    assert seen == [told]
    assert os.environ.get("STREAM_PARTIAL_RESPONSE") == before


def test_a_run_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    seen: list[tuple[int, ...]] = []
    simulate(lambda _event, _context: seen.append(gc.get_threshold()), _records(1))
    assert seen != [before]
    assert gc.get_threshold() == before


def test_by_default_all_records_are_in_the_stream_already() -> None:
    run = simulate(_nothing, _records(5, every=60))
    assert [len(call.sequence_numbers) for call in run.invocations] == [5]


def test_from_a_given_start_records_arrive_when_they_were_written() -> None:
    for start in (START, START.timestamp(), START.astimezone()):
        run = simulate(_nothing, _records(3, every=60), start=start)
        assert [call.at.total_seconds() for call in run.invocations] == [60, 120, 180]


def test_an_iterators_records_arrive_when_they_were_written() -> None:
    run = simulate(_nothing, iter(_records(3, every=60)))
    assert [call.at.total_seconds() for call in run.invocations] == [0, 60, 120]


def test_an_iterator_is_read_as_the_run_goes_on() -> None:
    ahead: list[int] = []
    taken = handled = 0

    def records() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for record in _records(1_000):
            taken += 1
            yield record

    def handler(event: Any, _context: Any) -> None:
        nonlocal handled
        ahead.append(taken - handled)
        handled += len(event["Records"])

    run = simulate(handler, records(), settings=MappingSettings(batch_size=10), keep=5)
    assert run.counts.handled == handled == 1_000
    # The batch that is called, the next one, and one record looked ahead.
    assert max(ahead) <= 10 + 10 + 1
    assert len(run.invocations) == 5


def test_only_the_newest_calls_are_kept_when_asked() -> None:
    seen: list[Invocation] = []
    settings = MappingSettings(batch_size=1)
    run = simulate(_nothing, _records(10), settings=settings, keep=3, observe=seen.append)
    assert len(seen) == 10
    assert list(run.invocations) == seen[-3:]
    assert run.counts.handled == 10


def test_several_shards_are_read_at_once() -> None:
    run = simulate(
        _nothing,
        {"a": _records(2), "b": _records(3)},
        duration=timedelta(seconds=1),
    )
    assert [(call.shard_id, call.at) for call in run.invocations] == [
        ("a", timedelta(0)),
        ("b", timedelta(0)),
    ]
    assert set(run.checkpoints) == {"a", "b"}


def test_no_records_are_no_calls() -> None:
    assert simulate(_nothing, []).invocations == []
    assert simulate(_nothing, {}).counts == Counts()
    assert simulate(_nothing, iter([])).invocations == []


def test_a_disabled_mapping_does_nothing() -> None:
    run = simulate(_nothing, _records(2), settings=MappingSettings(enabled=False))
    assert run.invocations == []
    assert run.counts == Counts(waiting=2)


def test_a_run_stops_where_it_is_told() -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise ValueError

    run = simulate(handler, _records(1), until=timedelta(seconds=1))
    assert [call.at.total_seconds() for call in run.invocations] == pytest.approx([0, 0.2, 0.6])
    assert run.counts.waiting == 1


def test_records_of_the_smallest_shape_are_enough() -> None:
    run = simulate(_nothing, [{"dynamodb": {"SequenceNumber": "1"}}])
    assert run.checkpoints == {"shardId-00000001789654273755-3d110129": "1"}


def test_failure_records_name_the_stream_of_the_records() -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise ValueError

    record = _records(1)[0] | {"eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/x"}
    run = simulate(handler, [record], settings=ONE_TRY)
    assert run.failures[0]["DDBStreamBatchInfo"]["streamArn"] == record["eventSourceARN"]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (_records(2)[::-1], "must be in stream order"),
        (_records(1) * 2, "must be in stream order"),
        ([{"dynamodb": {"SequenceNumber": 7}}], "has the sequence number 7"),
        ([{"dynamodb": {"SequenceNumber": "x"}}], "has the sequence number 'x'"),
        ([{"kinesis": {}}], r"must hold records of a DynamoDB stream.*\['kinesis'\]"),
        (["record"], "must hold records of a DynamoDB stream.*got str"),
        ([{"dynamodb": {}}], "must hold records of a DynamoDB stream"),
        ({"a": {"Records": []}}, r"pass event\['Records'\]"),
        ({"Records": _records(2)}, r"pass event\['Records'\]"),
    ],
)
def test_what_cannot_be_a_stream_is_refused(records: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        simulate(_nothing, records)


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(SourceError, match="must have a time zone"):
        simulate(_nothing, _records(1), start=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_another_seed_changes_the_ids_alone() -> None:
    one, two = (simulate(_nothing, _records(3), seed=seed) for seed in (1, 2))
    assert one.invocations[0].request_id != two.invocations[0].request_id
    assert one.counts == two.counts


def test_a_day_of_a_backlog_is_one_moment() -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    run = simulate(_nothing, _records(24, every=3_600), start=start + timedelta(hours=1))
    assert run.counts == Counts(handled=24)
    assert run.metrics["IteratorAge"] == 3_600_000


def test_lengths_of_time_may_be_seconds() -> None:
    def slow(_event: Any, context: Any) -> None:
        context.spend(4)

    record = insert({"pk": "1"})
    settings = MappingSettings(retry_attempts=0)
    assert simulate(slow, [record], settings=settings, timeout=5).counts.handled == 1
    assert simulate(slow, [record], settings=settings, timeout=3.5).invocations[0].outcome == (
        "timeout"
    )
    late = simulate(slow, [record], settings=settings, timeout=6, duration=1)
    assert late.invocations[0].took == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"handler": None}, "handler must be a function of event and context, got None"),
        ({"settings": {"batch_size": 4}}, "settings must be a MappingSettings, got dict; write"),
        ({"timeout": "5"}, "timeout must be a timedelta or a number of seconds from 0, got '5'"),
        ({"duration": -1}, "duration must be a timedelta or a number of seconds from 0, got -1"),
        ({"until": True}, "until must be a timedelta or a number of seconds from 0, got True"),
        ({"start": "2026-01-01"}, "start must be a datetime with a time zone or seconds since"),
    ],
)
def test_an_argument_of_the_wrong_kind_is_named(wrong: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"handler": _nothing, "records": [insert({"pk": "1"})], **wrong}
    with pytest.raises(SourceError, match=re.escape(message)):
        simulate(**arguments)


def test_a_time_as_boto3_gives_it_is_refused() -> None:
    record = insert({"pk": "1"})
    record["dynamodb"]["ApproximateCreationDateTime"] = START
    with pytest.raises(SourceError, match="expected seconds since 1970 as Lambda sends them"):
        simulate(_nothing, [record])


@pytest.mark.parametrize("stamp", [float("nan"), float("inf"), 1e300, 253_402_300_800])
def test_a_time_that_no_clock_shows_is_refused(stamp: float) -> None:
    record = insert({"pk": "1"})
    record["dynamodb"]["ApproximateCreationDateTime"] = stamp
    with pytest.raises(SourceError, match="expected seconds since 1970 as Lambda sends them"):
        simulate(_nothing, [record])


def test_runs_in_several_threads_do_not_disturb_each_other() -> None:
    before = gc.get_threshold()
    seen: dict[bool, set[str | None]] = {True: set(), False: set()}

    def run(*, asked: bool) -> None:
        def handler(_event: Any, _context: Any) -> None:
            seen[asked].add(os.environ.get("STREAM_PARTIAL_RESPONSE"))

        settings = MappingSettings(batch_size=1, report_batch_item_failures=asked)
        simulate(handler, _records(300), settings=settings)

    threads = [Thread(target=run, kwargs={"asked": number % 2 == 0}) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {True: {"1"}, False: {None}}
    assert gc.get_threshold() == before


def test_an_answer_that_fails_its_batch_says_why_in_the_error() -> None:
    run = simulate(lambda _event, _context: "done", _records(1), settings=PARTIAL)
    (call,) = run.invocations
    assert call.outcome == "failed"
    assert isinstance(call.error, ValueError)
    assert str(call.error) == "an answer must be an object with batchItemFailures, got text"


def test_failure_records_are_all_of_them_in_two_parts() -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise ValueError

    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    for on_failure, denied, delivered in ((arn, False, 1), (arn, True, 0), (None, False, 0)):
        settings = MappingSettings(retry_attempts=0, on_failure=on_failure)
        run = simulate(handler, _records(1), settings=settings, destination_denied=denied)
        assert len(run.failures) == 1
        assert (len(run.failures.delivered), len(run.failures.lost)) == (delivered, 1 - delivered)
