"""A tumbling window whose driver may die at any moment: no record is ever counted twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import (
    Assumptions,
    CallEnded,
    Checkpoint,
    Effect,
    Errored,
    Invoke,
    Read,
    RecordsRead,
    Returned,
    Settled,
    Throttled,
    WakeAt,
    Woken,
)
from cdk_streams.simulator import insert, simulate
from cdk_streams.simulator._records import START
from cdk_streams.testing import PollerHarness

LENGTH_MS = 10_000
ENDINGS = ("handled", "handled", "partial", "failed", "throttled", "killed")


def _number(record: Any) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


class Driver:
    """Drives one shard; the handler's state is the list of the numbers that it has counted."""

    def __init__(self, settings: MappingSettings, gaps_s: list[int]) -> None:
        self.settings = settings
        self.stream: list[dict[str, Any]] = []
        self.window_of: dict[int, int] = {}
        seconds = 0
        for place, gap_s in enumerate(gaps_s, start=1):
            seconds += gap_s
            at = START + timedelta(seconds=seconds)
            record = insert({"pk": str(place)}, number=place, at=at)
            self.stream.append(record)
            created_ms = round(at.timestamp() * 1000)
            self.window_of[_number(record)] = created_ms - created_ms % LENGTH_MS
        self.stored: Checkpoint | None = None
        self.counted: set[int] = set()
        self.begin()

    def begin(self) -> None:
        """Start from what is stored; what came behind it has never been."""
        kept: dict[str, Any] = {}
        position = -1
        if self.stored is not None:
            position = int(self.stored.sequence_number)
            kept["checkpoints"] = {"a": self.stored.sequence_number}
            if self.stored.window is not None:
                kept["windows"] = {"a": self.stored.window}
        self.counted = {number for number in self.counted if number <= position}
        self.poller = PollerHarness(self.settings, **kept)
        self.poller.now_ms += 10**6
        self.call: Invoke | None = None
        self.timer: WakeAt | None = None
        self.read: Read | None = None
        self.note(self.poller.list_shards("a"))

    def note(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Read():
                    self.read = effect
                case Invoke():
                    self.call = effect
                    self.check_call(effect)
                case WakeAt():
                    self.timer = effect
                case Settled(_, "handled", records):
                    self.counted |= set(map(_number, records))
                case Checkpoint():
                    self.stored = effect
                    self.check_stored(effect)
                case _:
                    pass

    def check_call(self, call: Invoke) -> None:
        assert call.window is not None
        assert call.window.state == self.expected(call.window.start_ms)

    def check_stored(self, stored: Checkpoint) -> None:
        position = int(stored.sequence_number)
        assert all(number <= position for number in self.counted)
        if stored.window is not None:
            assert stored.window.state == self.expected(stored.window.start_ms)

    def expected(self, start_ms: int) -> Any:
        """Return the state that says: these records of the window are counted, each once."""
        numbers = sorted(each for each in self.counted if self.window_of[each] == start_ms)
        return {"numbers": numbers} if numbers else {}

    def go_on(self, how: str, place: int) -> bool:
        """Do the next thing; False when there is none."""
        if how == "killed":
            self.begin()
        elif (call := self.call) is not None:
            self.call = None
            self.note(
                self.poller.tell(CallEnded("a", 0, call.call, self.outcome(call, how, place)))
            )
        elif (timer := self.timer) is not None:
            self.timer = None
            self.poller.now_ms = max(self.poller.now_ms, timer.at_ms)
            self.note(self.poller.tell(Woken("a", 0, timer.timer)))
        elif (read := self.read) is not None:
            self.read = None
            rest = [each for each in self.stream if _number(each) > int(read.after or -1)]
            given = rest[: place + 1]
            closed = len(given) == len(rest)
            self.note(self.poller.tell(RecordsRead("a", read.read, given, closed=closed)))
        else:
            return False
        return True

    def outcome(self, call: Invoke, how: str, place: int) -> Any:
        if how == "throttled":
            return Throttled()
        if how == "failed":
            return Errored()
        done = list(call.records)
        failures = []
        if how == "partial" and done:
            bad = done[place % len(done)]
            failures = [{"itemIdentifier": bad["dynamodb"]["SequenceNumber"]}]
            done = done[: place % len(done)]
        assert call.window is not None
        numbers = [*call.window.state.get("numbers", []), *map(_number, done)]
        state = {"numbers": numbers} if numbers else {}
        return Returned({"state": state, "batchItemFailures": failures})


@given(
    batch_size=st.integers(1, 4),
    retries=st.integers(0, 1),
    bisect=st.booleans(),
    gaps_s=st.lists(st.integers(0, 12), min_size=1, max_size=12),
    course=st.lists(st.tuples(st.sampled_from(ENDINGS), st.integers(0, 5)), max_size=40),
)
def test_the_stored_state_is_that_of_the_records_up_to_the_stored_checkpoint(
    *,
    batch_size: int,
    retries: int,
    bisect: bool,
    gaps_s: list[int],
    course: list[tuple[str, int]],
) -> None:
    settings = MappingSettings(
        batch_size=batch_size,
        tumbling_window=LENGTH_MS // 1000,
        retry_attempts=retries,
        bisect_batch_on_error=bisect,
        report_batch_item_failures=True,
    )
    driver = Driver(settings, gaps_s)
    for how, place in course:
        driver.go_on(how, place)
    while driver.go_on("handled", 9):
        pass
    assert driver.stored is not None
    assert int(driver.stored.sequence_number) == _number(driver.stream[-1])
    assert driver.stored.window is None


@given(
    st.lists(st.sampled_from([0, 1, 3, 12, -6, -12]), max_size=14),
    st.lists(st.booleans(), min_size=1, max_size=9),
    st.integers(1, 3),
    st.sampled_from([None, 5_000]),
    st.booleans(),
)
def test_windows_only_move_forward_and_close_once(
    steps: list[int], early: list[bool], size: int, idle_ms: int | None, closed: bool
) -> None:
    second, records = 0, []
    for number, step in enumerate(steps, 1):
        second = max(0, second + step)
        at = START + timedelta(seconds=second)
        records.append(insert({"pk": str(number)}, number=number, at=at))
    starts: list[str] = []
    closings: list[str] = []

    def handler(event: Any, _context: Any) -> Any:
        starts.append(event["window"]["start"])
        if event["isFinalInvokeForWindow"] and not event["isWindowTerminatedEarly"]:
            closings.append(event["window"]["start"])
        large = event["Records"] and early[len(starts) % len(early)]
        return {"state": {"text": "x" * 1_048_577 if large else ""}}

    simulate(
        handler,
        records,
        settings=MappingSettings(batch_size=size, tumbling_window=10),
        start=START,
        closed=closed,
        assumptions=Assumptions(idle_window_flush_ms=idle_ms),
    )

    assert starts == sorted(starts)
    assert len(closings) == len(set(closings))
