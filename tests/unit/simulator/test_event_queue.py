from __future__ import annotations

from functools import partial

from cdk_streams.simulator._engine.event_queue import EventQueue


def _all(queue: EventQueue) -> None:
    while queue.next_ms() is not None:
        queue.step()


def test_actions_run_in_the_order_of_their_times() -> None:
    queue, done = EventQueue(1_000), list[tuple[str, int]]()
    queue.add(3_000, lambda: done.append(("late", queue.now_ms)))
    queue.add(2_000, lambda: done.append(("early", queue.now_ms)))

    _all(queue)

    assert done == [("early", 2_000), ("late", 3_000)]


def test_actions_of_one_moment_run_in_the_order_they_were_added() -> None:
    queue, done = EventQueue(0), list[int]()
    for number in range(20):
        queue.add(5, partial(done.append, number))

    _all(queue)

    assert done == list(range(20))


def test_time_never_goes_back() -> None:
    queue, done = EventQueue(1_000), list[int]()
    queue.add(1, lambda: done.append(queue.now_ms))

    _all(queue)

    assert done == [1_000]


def test_an_action_may_plan_another() -> None:
    queue, done = EventQueue(0), list[int]()
    queue.add(5, lambda: queue.add(queue.now_ms + 5, lambda: done.append(queue.now_ms)))

    _all(queue)

    assert done == [10]


def test_polls_come_last_at_their_moment_in_the_order_of_their_ranks() -> None:
    queue, done = EventQueue(0), list[str]()
    queue.add_poll(5, 2, done.append, "second shard")
    queue.add_poll(5, 1, done.append, "first shard")
    queue.add(5, done.append, "write")
    queue.add_poll(4, 9, done.append, "earlier")

    _all(queue)

    assert done == ["earlier", "write", "first shard", "second shard"]
