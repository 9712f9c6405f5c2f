import os
import signal
import threading

import pytest

from cdk_streams._signals import exit_on_signals, ignore_signals

ENDING = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize(("number", "code"), ENDING.items())
def test_a_signal_leaves_the_block_with_the_code_a_shell_gives_it(number: int, code: int) -> None:
    with pytest.raises(SystemExit) as left, exit_on_signals():
        os.kill(os.getpid(), number)
    assert left.value.code == code


def _killed_in_a_block(ran: list[str]) -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        ran.append("finally")


def test_the_finally_of_a_block_runs_when_it_is_killed() -> None:
    ran: list[str] = []
    with pytest.raises(SystemExit), exit_on_signals():
        _killed_in_a_block(ran)
    assert ran == ["finally"]


def test_the_handlers_of_before_are_back_after_the_block() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with pytest.raises(SystemExit), exit_on_signals():
        os.kill(os.getpid(), signal.SIGHUP)
    with ignore_signals():
        pass
    assert [signal.getsignal(number) for number in ENDING] == before


def test_a_second_ctrl_c_does_not_disturb_the_stopping() -> None:
    stopped = False
    with exit_on_signals(), ignore_signals():
        for number in ENDING:
            os.kill(os.getpid(), number)
        stopped = True
    assert stopped


def test_undisturbed_works_in_a_thread_where_python_sets_no_handler() -> None:
    entered: list[bool] = []

    def body() -> None:
        with ignore_signals():
            entered.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert entered == [True]
