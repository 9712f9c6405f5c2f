"""The poller under any schedule: Hypothesis decides what happens next, in any order.

A model beside it knows only what a driver knows: which records were given, which calls are under
way, which records the poller has said it settled.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    CallEnded,
    Checkpoint,
    Disabled,
    Effect,
    Enabled,
    Errored,
    FailureSent,
    Invoke,
    Outcome,
    Read,
    ReadFailed,
    RecordsRead,
    Restarted,
    Returned,
    SendFailure,
    Settled,
    ShardDone,
    ShardSeen,
    Throttled,
    WakeAt,
    Woken,
)
from cdk_streams.simulator import insert
from cdk_streams.testing import PollerHarness

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
FILTER = '{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":"skip"}]}}}}'
SHARDS = {"parent": (), "left": ("parent",), "right": ("parent",)}


def _number(record: Any) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


class Mapping(RuleBasedStateMachine):
    """One mapping over a shard that splits in two."""

    @initialize(
        batch_size=st.integers(1, 4),
        factor=st.integers(1, 3),
        retries=st.integers(-1, 2),
        bisect=st.booleans(),
        window=st.sampled_from([0, 5]),
        destination=st.sampled_from([None, QUEUE]),
        filtered=st.booleans(),
    )
    def begin(
        self,
        *,
        batch_size: int,
        factor: int,
        retries: int,
        bisect: bool,
        window: int,
        destination: str | None,
        filtered: bool,
    ) -> None:
        settings = MappingSettings(
            batch_size=batch_size,
            parallelization_factor=factor,
            retry_attempts=retries,
            bisect_batch_on_error=bisect,
            report_batch_item_failures=True,
            max_batching_window=window,
            on_failure=destination,
            filters=[FILTER] if filtered else [],
        )
        self.poller = PollerHarness(settings)
        self.stream: dict[str, list[dict[str, Any]]] = {name: [] for name in SHARDS}
        self.reads: dict[str, Read] = {}
        self.calls: dict[tuple[str, int], Invoke] = {}
        self.sends: list[SendFailure] = []
        self.timers: list[WakeAt] = []
        self.written = 0
        self.settled: set[int] = set()
        self.delivering: set[int] = set()
        self.checkpoints: dict[str, int] = {}
        self.done: set[str] = set()
        self.first_seen: dict[tuple[str, str], list[int]] = {}
        self.enabled = True
        shards = [ShardSeen(name, parents) for name, parents in SHARDS.items()]
        self._note(self.poller.list_shards(*shards))

    def _note(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Read():
                    assert all(parent in self.done for parent in SHARDS[effect.shard_id])
                    self.reads[effect.shard_id] = effect
                case Invoke():
                    self._note_call(effect)
                case SendFailure(destination=str()):
                    self.sends.append(effect)
                case WakeAt():
                    self.timers.append(effect)
                case Settled():
                    self.settled |= set(map(_number, effect.records))
                case Checkpoint():
                    self.checkpoints[effect.shard_id] = int(effect.sequence_number)
                case ShardDone():
                    self.done.add(effect.shard_id)
                case _:
                    pass

    def _note_call(self, call: Invoke) -> None:
        assert self.enabled
        assert 1 <= len(call.records) <= self.poller.mapping.settings.batch_size
        # One call under way in a lane.
        assert (call.shard_id, call.lane) not in self.calls
        self.calls[call.shard_id, call.lane] = call
        for record in call.records:
            assert record["dynamodb"]["Keys"]["pk"]["S"] != "skip" or (
                not self.poller.mapping.settings.filters
            )
            item = record["dynamodb"]["Keys"]["pk"]["S"]
            numbers = self.first_seen.setdefault((call.shard_id, item), [])
            if _number(record) not in numbers:
                # A change is never called before an earlier one of its item has been.
                assert not numbers or numbers[-1] < _number(record)
                numbers.append(_number(record))

    @rule(
        shard=st.sampled_from(sorted(SHARDS)),
        items=st.lists(st.sampled_from(["a", "b", "c", "skip"]), max_size=5),
        few=st.booleans(),
        close=st.booleans(),
    )
    def records_come(self, shard: str, items: list[str], few: bool, close: bool) -> None:
        read = self.reads.pop(shard, None)
        if read is None:
            return
        stream = self.stream[shard]
        for item in items:
            self.written += 1
            # An item keeps to its shard; the numbers of parent and child do not overlap.
            stream.append(
                insert({"pk": item if item == "skip" else shard + item}, number=self.written)
            )
        at = int(read.after) if read.after else -1
        rest = [each for each in stream if _number(each) > at]
        given = rest[:2] if few else rest
        more = len(given) < len(rest)
        self.poller.now_ms = max(self.poller.now_ms, read.at_ms)
        event = RecordsRead(shard, read.read, given, more=more, closed=close and not more)
        self._note(self.poller.tell(event))

    @rule(shard=st.sampled_from(sorted(SHARDS)))
    def a_read_fails(self, shard: str) -> None:
        if (read := self.reads.pop(shard, None)) is not None:
            self._note(self.poller.tell(ReadFailed(shard, read.read, "denied")))

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 9), how=st.integers(0, 9), place=st.integers(0, 9))
    def a_call_ends(self, which: int, how: int, place: int) -> None:
        key = sorted(self.calls)[which % len(self.calls)]
        call = self.calls.pop(key)
        outcome: Outcome = Returned()
        if how == 0:
            outcome = Throttled()
        elif how < 4:
            outcome = Errored()
        elif how < 7:
            failed = call.records[place % len(call.records)]["dynamodb"]["SequenceNumber"]
            outcome = Returned({"batchItemFailures": [{"itemIdentifier": failed}]})
        self._note(self.poller.tell(CallEnded(*key, call.call, outcome)))

    @precondition(lambda self: self.sends)
    @rule(delivered=st.booleans())
    def a_failure_record_arrives(self, delivered: bool) -> None:
        send = self.sends.pop(0)
        event = FailureSent(send.shard_id, send.lane, send.call, delivered)
        self._note(self.poller.tell(event))

    @precondition(lambda self: self.timers)
    @rule()
    def time_passes(self) -> None:
        timer = min(self.timers, key=lambda each: each.at_ms)
        self.timers.remove(timer)
        self.poller.now_ms = max(self.poller.now_ms, timer.at_ms)
        self._note(self.poller.tell(Woken(timer.shard_id, timer.lane, timer.timer)))

    @precondition(lambda self: self.enabled)
    @rule()
    def it_is_disabled(self) -> None:
        self.enabled = False
        self._note(self.poller.tell(Disabled()))

    @precondition(lambda self: not self.enabled)
    @rule()
    def it_is_enabled(self) -> None:
        self.enabled = True
        self._note(self.poller.tell(Enabled()))

    @rule()
    def its_host_is_replaced(self) -> None:
        # Answers on their way are never heard of again.
        self.calls.clear()
        self.sends.clear()
        self._note(self.poller.tell(Restarted()))

    @invariant()
    def the_checkpoint_never_passes_an_unhandled_record(self) -> None:
        for shard, checkpoint in getattr(self, "checkpoints", {}).items():
            passed = {each for each in map(_number, self.stream[shard]) if each <= checkpoint}
            assert passed <= self.settled

    @invariant()
    def a_shard_is_done_only_when_all_its_records_are(self) -> None:
        for shard in getattr(self, "done", ()):
            assert set(map(_number, self.stream[shard])) <= self.settled

    def teardown(self) -> None:
        """Whatever happened: with a handler that succeeds, everything given is handled."""
        if not hasattr(self, "poller"):
            return
        if not self.enabled:
            self.it_is_enabled()
        for _ in range(10_000):
            if self.calls:
                self.a_call_ends(0, 9, 0)
            elif self.sends:
                self.a_failure_record_arrives(delivered=True)
            elif waiting := [each for each in sorted(self.reads) if self._waits(each)]:
                self.records_come(waiting[0], [], few=False, close=False)
            elif self.timers:
                self.time_passes()
            else:
                break
        given = {_number(each) for stream in self.stream.values() for each in stream}
        assert given <= self.settled

    def _waits(self, shard: str) -> bool:
        after = self.reads[shard].after
        last = max(map(_number, self.stream[shard]), default=-1)
        return last > (int(after) if after else -1)


TestMapping = Mapping.TestCase
