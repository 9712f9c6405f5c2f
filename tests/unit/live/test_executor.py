from __future__ import annotations

from cdk_streams.live._executor import ThreadExecutor


def test_a_clock_that_goes_back_stands_still() -> None:
    times = iter([1000, 1500, 1200, 1600])
    threads = ThreadExecutor(1, lambda: next(times))
    assert [threads.now_ms() for _ in range(4)] == [1000, 1500, 1500, 1600]
    threads.close()


def test_what_has_long_been_due_is_not_waited_for() -> None:
    threads = ThreadExecutor(1, lambda: 5000)
    assert threads.wait(4000) is None
    threads.close()
