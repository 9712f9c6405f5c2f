"""The live consumer on fakes: the poller's effects carried out, whatever the stream does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import pytest

from cdk_streams.errors import StreamsError
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live._checkpoints import CheckpointStore, ShardCheckpoint
from cdk_streams.live._driver import InvocationFinished, Notice, Problem, invocation_outcome
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import Errored, Outcome, Returned, Settled, Throttled
from cdk_streams.testing import FakeStreams
from tests.bench.scenario_handler import behaving


class Bench(Protocol):
    """What conftest's bench offers."""

    streams: FakeStreams
    checkpoints: CheckpointStore
    settings: MappingSettings
    handler: Any
    scripted: list[InvokeResponse | Exception]
    refuse: str | None
    calls: list[list[Any]]
    request_ids: list[str]
    failures: list[dict[str, Any]]
    seen: list[Notice]
    now_ms: int

    def start(self) -> None: ...
    def turn(self, turns: int) -> None: ...
    def handled(self) -> list[str]: ...


def write(bench: Bench, count: int, shard: str = "s") -> list[str]:
    return [
        bench.streams.write(shard, {"ordinal": {"N": str(number)}})
        for number in range(1, count + 1)
    ]


def problems(bench: Bench) -> list[str]:
    return [notice.what for notice in bench.seen if isinstance(notice, Problem)]


def test_retries_keep_the_request_id(bench: Bench) -> None:
    write(bench, 1)
    bench.settings = MappingSettings(retry_attempts=2)
    bench.handler = behaving({"bad": [1], "how": "raise"})
    bench.start()
    bench.turn(50)
    assert len(bench.request_ids) == 3
    assert len(set(bench.request_ids)) == 1


@pytest.mark.parametrize("turns", range(1, 60))
def test_a_driver_that_dies_at_any_moment_loses_nothing_and_keeps_the_order(
    bench: Bench, turns: int
) -> None:
    written = write(bench, 12)
    bench.settings = MappingSettings(
        batch_size=5, retry_attempts=1, report_batch_item_failures=True
    )
    bench.handler = behaving({"bad": [7], "how": "report"})
    bench.start()
    bench.turn(turns)
    bench.start()
    bench.turn(100)
    discarded = _numbers_of(bench.failures, written)
    assert set(bench.handled()) == set(written)
    # Where the batch ends that is discarded depends on where the second run began.
    assert discarded[0] == written[6]
    assert _first_times(bench.handled()) == written


def _numbers_of(failures: Sequence[dict[str, Any]], written: list[str]) -> list[str]:
    batches = [failure["DDBStreamBatchInfo"] for failure in failures]
    return [
        number
        for batch in batches
        for number in written
        if int(batch["startSequenceNumber"]) <= int(number) <= int(batch["endSequenceNumber"])
    ]


def _first_times(numbers: list[str]) -> list[str]:
    return list(dict.fromkeys(numbers))


def test_a_restart_goes_on_behind_what_was_dealt_with(bench: Bench) -> None:
    write(bench, 3)
    bench.start()
    bench.turn(20)
    later = write(bench, 2)
    bench.calls.clear()
    bench.start()
    bench.turn(20)
    assert bench.handled() == later


def test_children_are_read_after_their_parent_is_dealt_with(bench: Bench) -> None:
    parent = write(bench, 2)
    bench.streams.add_shard("left", parent="s")
    bench.streams.add_shard("right", parent="s")
    left, right = write(bench, 2, "left"), write(bench, 2, "right")
    bench.settings = MappingSettings(batch_size=1)
    bench.start()
    bench.turn(60)
    handled = bench.handled()
    assert handled[:2] == parent
    assert set(handled[2:]) == {*left, *right}
    assert [number for number in handled if number in left] == left
    assert bench.checkpoints.load("audit", bench.streams.arn)["s"].done


def test_a_restart_does_not_read_a_finished_parent_again(bench: Bench) -> None:
    write(bench, 2)
    bench.streams.add_shard("child", parent="s")
    child = write(bench, 1, "child")
    bench.start()
    bench.turn(60)
    bench.calls.clear()
    bench.start()
    bench.turn(60)
    assert bench.handled() == []
    assert bench.checkpoints.load("audit", bench.streams.arn)["child"] == ShardCheckpoint(child[0])


def test_latest_starts_at_the_end_of_the_stream(bench: Bench) -> None:
    write(bench, 2)
    bench.settings = MappingSettings(starting_position="LATEST")
    bench.start()
    bench.turn(10)
    later = write(bench, 1)
    bench.turn(10)
    assert bench.handled() == later


def test_a_restart_before_the_first_record_does_not_make_latest_skip(bench: Bench) -> None:
    bench.settings = MappingSettings(starting_position="LATEST")
    bench.start()
    bench.turn(10)
    later = write(bench, 2)
    bench.start()
    bench.turn(10)
    assert bench.handled() == later


@pytest.mark.parametrize("operation", ["describe_stream", "get_shard_iterator", "get_records"])
@pytest.mark.parametrize(
    "codes",
    [
        ["ThrottlingException"] * 3,
        ["InternalServerError", "LimitExceededException"],
        ["ResourceNotFoundException"],
        ["AccessDeniedException"] * 2,
    ],
    ids=lambda codes: codes[0],
)
def test_reads_that_fail_lose_nothing(bench: Bench, operation: str, codes: list[str]) -> None:
    written = write(bench, 3)
    bench.streams.fail(operation, *codes)
    bench.start()
    bench.turn(60)
    assert bench.handled() == written


def test_iterators_that_expire_lose_nothing(bench: Bench) -> None:
    bench.settings = MappingSettings(batch_size=2)
    written: list[str] = []
    bench.start()
    for _ in range(5):
        written += write(bench, 2)
        bench.streams.expire_iterators()
        bench.turn(30)
    assert bench.handled() == written


def test_records_that_were_trimmed_unread_are_told_and_the_rest_is_handled(bench: Bench) -> None:
    first = write(bench, 2)
    bench.start()
    bench.turn(20)
    later = write(bench, 4)
    bench.streams.trim("s", through=later[1])
    bench.turn(20)
    assert bench.handled() == [*first, *later[2:]]
    assert problems(bench) == ["records left the stream before they were read"]


def test_a_function_that_is_throttled_is_called_again_without_spending_retries(
    bench: Bench,
) -> None:
    written = write(bench, 1)
    bench.settings = MappingSettings(retry_attempts=0)
    bench.scripted = [InvokeResponse("", throttled=True)] * 3
    bench.start()
    bench.turn(60)
    assert bench.handled() == written
    assert bench.failures == []


def test_a_function_that_cannot_be_started_is_a_problem_and_waits(bench: Bench) -> None:
    written = write(bench, 1)
    bench.scripted = [OSError("no such interpreter"), StreamsError("no code")]
    bench.start()
    bench.turn(60)
    assert bench.handled() == written
    assert problems(bench) == [
        "the function could not be called: no such interpreter",
        "the function could not be called: no code",
    ]


def test_a_refused_failure_record_is_lost_and_the_stream_goes_on(bench: Bench) -> None:
    written = write(bench, 3)
    bench.settings = MappingSettings(batch_size=1, retry_attempts=0)
    bench.handler = behaving({"bad": [2], "how": "raise"})
    bench.refuse = "access denied"
    bench.start()
    bench.turn(40)
    assert bench.handled() == written
    assert bench.failures == []
    assert problems(bench) == ["the failure record was refused and is lost: access denied"]
    assert bench.checkpoints.load("audit", bench.streams.arn) == {"s": ShardCheckpoint(written[-1])}


def test_records_past_their_age_are_discarded_unhandled(bench: Bench) -> None:
    write(bench, 2)
    bench.now_ms += 70_000
    bench.settings = MappingSettings(max_record_age=timedelta(seconds=60))
    bench.start()
    bench.turn(20)
    assert bench.calls == []
    (failure,) = bench.failures
    assert failure["requestContext"]["condition"] == "RecordAgeExceeded"
    assert failure["requestContext"]["approximateInvokeCount"] == 1
    assert "responseContext" not in failure


def test_lanes_of_a_shard_keep_the_order_of_each_item(bench: Bench) -> None:
    bench.settings = MappingSettings(parallelization_factor=4, batch_size=3)
    written: dict[str, list[str]] = {}
    for number in range(60):
        key = str(number % 7)
        sequence = bench.streams.write("s", {"pk": {"S": key}, "ordinal": {"N": str(number)}})
        written.setdefault(key, []).append(sequence)
    bench.start()
    bench.turn(200)
    for numbers in written.values():
        assert [number for number in bench.handled() if number in numbers] == numbers
    assert len(bench.handled()) == 60


def test_an_observer_sees_the_answer_before_what_follows_from_it(bench: Bench) -> None:
    write(bench, 1)
    bench.start()
    bench.turn(20)
    kinds = [type(notice) for notice in bench.seen]
    assert kinds.index(InvocationFinished) < kinds.index(Settled)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (InvokeResponse("r", b'{"batchItemFailures":[]}'), Returned({"batchItemFailures": []})),
        (InvokeResponse("r", b"null"), Returned(None)),
        (InvokeResponse("r", b""), Returned(None)),
        (InvokeResponse("r", b"\xff"), Errored()),
        (InvokeResponse("r", b"{}", function_error="Unhandled"), Errored("Unhandled")),
        (InvokeResponse("r", throttled=True), Throttled()),
    ],
)
def test_an_answer_means_to_the_poller_what_lambda_makes_of_it(
    answer: InvokeResponse, outcome: Outcome
) -> None:
    assert invocation_outcome(answer) == outcome
