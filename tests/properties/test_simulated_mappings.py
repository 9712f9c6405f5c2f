"""What holds for every mapping, stream and handler, however they behave."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cdk_streams.mapping import MAX_PAYLOAD_BYTES, MappingSettings
from cdk_streams.simulator import Run, insert, simulate
from cdk_streams.simulator._records import START

Shards = dict[str, list[dict[str, Any]]]

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
FILTER = '{"dynamodb":{"NewImage":{"keep":{"BOOL":[true]}}}}'


@st.composite
def mappings(draw: st.DrawFn, /, **fixed: Any) -> MappingSettings:
    options: dict[str, Any] = {
        "batch_size": draw(st.integers(1, 6)),
        "max_batching_window": draw(st.sampled_from([0, 0, 1, 30])),
        "parallelization_factor": draw(st.integers(1, 4)),
        "retry_attempts": draw(st.integers(0, 3)),
        "max_record_age": draw(st.sampled_from([None, None, 60, 300])),
        "bisect_batch_on_error": draw(st.booleans()),
        "report_batch_item_failures": draw(st.booleans()),
        "filters": draw(st.sampled_from([[], [FILTER]])),
        "on_failure": draw(st.sampled_from([None, QUEUE])),
    }
    return MappingSettings(**options | fixed)


@st.composite
def streams(draw: st.DrawFn) -> Shards:
    """Up to three shards with a few items each; an item keeps to its shard."""
    shards: Shards = {}
    number = 0
    for shard in range(draw(st.integers(1, 3))):
        second = 0.0
        shards[f"shard-{shard}"] = records = []
        for _ in range(draw(st.integers(0, 12))):
            number += 1
            second += draw(st.sampled_from([0, 0, 0.5, 20, 100]))
            item = {
                "pk": f"{shard}-{draw(st.integers(0, 3))}",
                "keep": draw(st.booleans()),
                "number": number,
            }
            records.append(insert(item, number=number, at=START + timedelta(seconds=second)))
    return shards


def _number(record: dict[str, Any]) -> int:
    return int(record["dynamodb"]["NewImage"]["number"]["N"])


def _item(record: dict[str, Any]) -> str:
    key: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return key


class Whim:
    """A handler whose calls end as a list of numbers says, and that remembers what it saw."""

    def __init__(self, whims: list[int], *, slow: bool = True) -> None:
        self._whims = whims or [0]
        self._slow = slow
        self.calls: list[list[dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []
        self.handled: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        whim = self._whims[len(self.calls) % len(self._whims)]
        records = event["Records"]
        self.calls.append(list(records))
        self.events.append(event)
        if self._slow:
            context.spend(whim % 4)  # 3 seconds are the timeout
        if whim % 5 == 1:
            raise ValueError(whim)
        if whim % 5 == 2:
            place = whim % len(records)
            self.handled += records[:place]
            failed = records[place]["dynamodb"]["SequenceNumber"]
            return {"batchItemFailures": [{"itemIdentifier": failed}]}
        self.handled += records
        return None


whims = st.lists(st.integers(0, 60), max_size=12)
throttles = st.sampled_from([None, lambda at: at.total_seconds() % 7 < 3])


@given(mappings(), streams(), whims, throttles, st.booleans())
def test_no_record_is_lost_silently(
    settings: MappingSettings,
    shards: Shards,
    whims: list[int],
    throttled: Callable[[timedelta], bool] | None,
    denied: bool,
) -> None:
    run = simulate(
        Whim(whims),
        shards,
        settings=settings,
        start=START,
        throttled=throttled,
        destination_denied=denied,
    )
    counts = run.counts
    total = sum(map(len, shards.values()))
    assert counts.waiting == counts.skipped == 0
    assert total == (
        counts.handled + counts.filtered + counts.failed + counts.age_exceeded + counts.trimmed
    )
    in_failure_records = sum(each["DDBStreamBatchInfo"]["batchSize"] for each in run.failures)
    assert in_failure_records == counts.failed + counts.age_exceeded
    for name, records in shards.items():
        last = records[-1]["dynamodb"]["SequenceNumber"] if records else None
        assert run.checkpoints.get(name) == last


@given(mappings(filters=[]), streams(), whims)
def test_an_items_changes_are_handled_in_order_at_any_factor(
    settings: MappingSettings, shards: Shards, whims: list[int]
) -> None:
    handler = Whim(whims)
    simulate(handler, shards, settings=settings, start=START)
    seen: dict[str, list[int]] = defaultdict(list)
    for call in handler.calls:
        for record in call:
            numbers = seen[_item(record)]
            # A change may come again, but never after a later one came for the first time.
            if _number(record) not in numbers:
                assert not numbers or numbers[-1] < _number(record)
                numbers.append(_number(record))


@given(mappings(), streams(), whims)
def test_no_call_exceeds_a_limit(
    settings: MappingSettings, shards: Shards, whims: list[int]
) -> None:
    handler = Whim(whims)
    simulate(handler, shards, settings=settings, start=START)
    assert all(1 <= len(call) <= settings.batch_size for call in handler.calls)


@given(st.lists(st.integers(1, 3_500_000), min_size=1, max_size=8), st.sampled_from("aé\x01"))
def test_no_call_is_larger_than_its_payload(sizes: list[int], letter: str) -> None:
    records = [
        insert({"pk": str(number), "blob": letter * (size // 6)}, number=number)
        for number, size in enumerate(sizes, 1)
    ]
    handler = Whim([0])
    simulate(handler, records, settings=MappingSettings(batch_size=100))
    for event in handler.events:
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        assert len(text.encode()) <= MAX_PAYLOAD_BYTES


def _shown(run: Run) -> tuple[Any, ...]:
    calls = [
        (call.sequence_numbers, call.attempt, call.at, call.outcome, call.shard_id, call.took)
        for call in run.invocations
    ]
    return (calls, run.checkpoints, run.metrics, run.counts, run.took)


@given(mappings(), streams(), whims, st.integers(0, 9))
def test_a_run_is_a_function_of_its_arguments(
    settings: MappingSettings, shards: Shards, whims: list[int], seed: int
) -> None:
    def run(seed: int) -> Run:
        return simulate(Whim(whims), shards, settings=settings, start=START, seed=seed)

    once, again, other = run(seed), run(seed), run(seed + 1)
    assert _shown(once) == _shown(again) == _shown(other)
    assert once.failures == again.failures
    ids = [[call.request_id for call in each.invocations] for each in (once, again, other)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])


@given(
    mappings(
        bisect_batch_on_error=True,
        report_batch_item_failures=False,
        max_record_age=None,
        on_failure=None,
    ),
    streams(),
    st.integers(1, 5),
    st.sets(st.integers(1, 36)),
)
def test_splitting_a_stream_over_shards_changes_no_items_history(
    settings: MappingSettings, shards: Shards, parts: int, bad: set[int]
) -> None:
    records = sorted(
        (each for shard in shards.values() for each in shard),
        key=lambda each: int(each["dynamodb"]["SequenceNumber"]),
    )
    split: Shards = {f"part-{part}": [] for part in range(parts)}
    for record in records:
        split[f"part-{sum(map(ord, _item(record))) % parts}"].append(record)

    def history(stream: Any) -> dict[str, list[int]]:
        handled: dict[str, list[int]] = defaultdict(list)

        def handler(event: dict[str, Any], _context: Any) -> None:
            if bad & set(map(_number, event["Records"])):
                raise ValueError
            for record in event["Records"]:
                handled[_item(record)].append(_number(record))

        simulate(handler, stream, settings=settings)
        return handled

    assert history(records) == history(split)


@given(mappings(retry_attempts=2), streams(), whims)
def test_what_a_handler_does_to_its_event_reaches_no_other_call(
    settings: MappingSettings, shards: Shards, whims: list[int]
) -> None:
    untouched = json.dumps(shards)
    inner = Whim(whims)
    seen: list[str] = []

    def handler(event: dict[str, Any], context: Any) -> Any:
        seen.append(json.dumps(event))
        answer = inner(json.loads(seen[-1]), context)
        for record in event["Records"]:
            record["dynamodb"].clear()
        event.clear()
        return answer

    simulate(handler, shards, settings=settings, start=START)
    assert json.dumps(shards) == untouched
    known = {json.dumps(each) for shard in shards.values() for each in shard}
    sent = {json.dumps(each) for text in seen for each in json.loads(text)["Records"]}
    assert sent <= known
