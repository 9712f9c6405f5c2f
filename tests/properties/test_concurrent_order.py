"""Ordering on threads, as a state machine: Hypothesis decides which record ends next, and how.

Every handler call waits at a gate of its own until the machine opens it: each schedule of the
threads can be reached, none depends on the clock, and a failing one is printed as a program.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambda_runtime._batches.concurrency import on_threads
from lambda_runtime._batches.processing import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_S = 10  # A schedule that hangs is a failure; none comes near this.


class Run:
    """One batch on threads, every record of which waits until it is told how to end."""

    def __init__(self, items: Sequence[str], threads: int) -> None:
        self.items = items
        self.changed = threading.Condition()
        self.waiting: dict[int, threading.Thread] = {}
        self.started: list[int] = []
        self.verdicts: dict[int, str] = {}
        self.result: Failure | None = None
        self.raised: BaseException | None = None
        self.late = False
        records = [{"dynamodb": {"Keys": {"pk": {"S": item}}}} for item in items]
        self.driver = threading.Thread(target=self._drive, args=(records, threads), daemon=True)
        self.driver.start()

    def _drive(self, records: list[Any], threads: int) -> None:
        try:
            self.result = on_threads(records, self._take, lambda: lambda: self.late, threads)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.raised = error

    def _take(self, _record: Any, position: int) -> Failure | None:
        with self.changed:
            self.started.append(position)
            self.waiting[position] = threading.current_thread()
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: position in self.verdicts, PATIENCE_S)
        if self.verdicts[position] == "failed":
            return Failure(position, ValueError("no stock"), None)
        return None

    def end(self, position: int, verdict: str) -> None:
        """Let a waiting record end, and with it its thread once nothing more may start."""
        with self.changed:
            thread = self.waiting.pop(position)
            self.verdicts[position] = verdict
            self.changed.notify_all()
        if self.late or "failed" in self.verdicts.values():
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def wait_until_waiting(self, positions: set[int]) -> None:
        """Wait until exactly these records are at their gates."""
        with self.changed:
            assert self.changed.wait_for(lambda: positions <= set(self.waiting), PATIENCE_S), (
                f"expected {sorted(positions)} to run, and {sorted(self.waiting)} do"
            )
            assert set(self.waiting) == positions


class OrderOnThreads(RuleBasedStateMachine):
    """The model: which records run, by what is known of items, threads, failures and the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.run_: Run | None = None
        self.running: set[int] = set()

    @precondition(lambda self: not self.running)
    @rule(
        items=st.lists(st.sampled_from("ABCD"), min_size=1, max_size=12), threads=st.integers(1, 5)
    )
    def a_batch_arrives(self, items: list[str], threads: int) -> None:
        self.finish()
        self.run_ = Run(items, threads)
        self.ended: set[int] = set()
        self.failed: set[int] = set()
        self.slots = min(threads, len(set(items)))
        self._start(self.run_)

    def _start(self, run: Run) -> None:
        """What starts now: the oldest record of each item that is not running, while there is room.

        A thread ends for good when it finds nothing to do, so the room shrinks with it.
        """
        items = run.items
        while not self.failed and not run.late and len(self.running) < self.slots:
            busy = {items[at] for at in self.running}
            ready = [
                at
                for at, item in enumerate(items)
                if at not in self.ended and at not in self.running and item not in busy
            ]
            if not ready:
                self.slots = len(self.running)
                break
            self.running.add(ready[0])
        run.wait_until_waiting(self.running)

    def _end(self, position: int, verdict: str) -> None:
        assert self.run_ is not None
        self.run_.end(position, verdict)
        self.running.discard(position)
        (self.failed if verdict == "failed" else self.ended).add(position)
        self._start(self.run_)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_record_is_handled(self, data: st.DataObject) -> None:
        self._end(data.draw(st.sampled_from(sorted(self.running))), "handled")

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_record_fails(self, data: st.DataObject) -> None:
        self._end(data.draw(st.sampled_from(sorted(self.running))), "failed")

    @precondition(lambda self: self.running)
    @rule()
    def the_deadline_comes_near(self) -> None:
        assert self.run_ is not None
        self.run_.late = True

    @invariant()
    def changes_of_one_item_start_in_order_and_end_with_its_failure(self) -> None:
        if self.run_ is None:
            return
        for item in set(self.run_.items):
            started = [at for at in self.run_.started if self.run_.items[at] == item]
            assert started == sorted(started)
            assert not self.failed.intersection(started[:-1])

    def finish(self) -> None:
        """Let everything that runs end well, and compare the answer with the model's."""
        run = self.run_
        if run is None:
            return
        while self.running:
            self._end(min(self.running), "handled")
        run.driver.join(PATIENCE_S)
        assert not run.driver.is_alive()
        assert run.raised is None
        self._check_the_answer(run, run.result)

    def teardown(self) -> None:
        self.finish()

    def _check_the_answer(self, run: Run, result: Failure | None) -> None:
        """Lambda goes on at the lowest record that is not handled, whatever ran behind it."""
        unhandled = sorted(set(range(len(run.items))) - self.ended)
        assert (result is None) == (not unhandled)
        if result is not None:
            assert result.unhandled == unhandled[0]
            assert (result.error is None) == (not self.failed)
            if self.failed:
                assert result.position == min(self.failed)


OrderOnThreads.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestOrderOnThreads = OrderOnThreads.TestCase
