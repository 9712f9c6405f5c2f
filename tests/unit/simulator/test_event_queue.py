from __future__ import annotations

from functools import partial

from cdk_streams.simulator._engine.event_queue import Agenda


def _all(agenda: Agenda) -> None:
    while agenda.next_ms() is not None:
        agenda.step()


def test_actions_run_in_the_order_of_their_times() -> None:
    agenda, done = Agenda(1_000), list[tuple[str, int]]()
    agenda.add(3_000, lambda: done.append(("late", agenda.now_ms)))
    agenda.add(2_000, lambda: done.append(("early", agenda.now_ms)))

    _all(agenda)

    assert done == [("early", 2_000), ("late", 3_000)]


def test_actions_of_one_moment_run_in_the_order_they_were_added() -> None:
    agenda, done = Agenda(0), list[int]()
    for number in range(20):
        agenda.add(5, partial(done.append, number))

    _all(agenda)

    assert done == list(range(20))


def test_time_never_goes_back() -> None:
    agenda, done = Agenda(1_000), list[int]()
    agenda.add(1, lambda: done.append(agenda.now_ms))

    _all(agenda)

    assert done == [1_000]


def test_an_action_may_plan_another() -> None:
    agenda, done = Agenda(0), list[int]()
    agenda.add(5, lambda: agenda.add(agenda.now_ms + 5, lambda: done.append(agenda.now_ms)))

    _all(agenda)

    assert done == [10]
