"""Drive deployed consumers, each on a thread of its own, until the block is left.

    with (
        CheckpointStore(path) as checkpoints,
        drive(consumers, client, checkpoints=checkpoints, observer=view, connection={}) as session,
    ):
        session.check()

Leaving the block ends every function's process and every thread. Nothing is lost: the next session
continues from the stored checkpoints.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cdk_streams._signals import ignore_signals
from cdk_streams.lambda_local import FunctionRunner, InvokeResponse, LogLine
from cdk_streams.live._checkpoints import CheckpointStore
from cdk_streams.live._deployed_stack import DeployedConsumer
from cdk_streams.live._destinations import Client, Delivery, Destinations
from cdk_streams.live._driver import MappingDriver, Notice
from cdk_streams.live._executor import Clock, ThreadExecutor, system_ms
from cdk_streams.live._streams_api import StreamsApi

__all__ = ["LiveSession", "Observer", "drive"]

# Requests of one consumer at a time: a read of each shard and the calls of its lanes.
_THREADS = 64


class Observer(Protocol):
    """Gets what happens in a session; called from several threads, and must not block."""

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Take an event, an effect, a problem or a finished invocation."""
        ...

    def log(self, consumer: str, line: LogLine) -> None:
        """Take a line that the consumer's function printed."""
        ...


class _Driven:
    """One consumer with its driver, its function's runner and its executor."""

    def __init__(
        self, driver: MappingDriver, runner: FunctionRunner, threads: ThreadExecutor
    ) -> None:
        self.driver = driver
        self.runner = runner
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=f"driver-{driver.name}")
        self._threads = threads
        self._stopping = False

    def stop(self) -> None:
        """End the driver after its current step, and a running invocation at once."""
        with ignore_signals():
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._threads.post(lambda: None)
        self.runner.close()
        if self.thread.is_alive():
            self.thread.join()
        self._threads.close()

    def _run(self) -> None:
        """Run the driver until `stop`; an error ends it and is kept for `check`."""
        try:
            self.driver.start()
            while not self._stopping:
                self.driver.run_once()
        except BaseException as error:  # noqa: BLE001 - raised again by `LiveSession.check`
            self.error = error


class LiveSession:
    """The consumers that are being driven."""

    def __init__(self, driven: Sequence[_Driven]) -> None:
        self._driven = driven

    def check(self) -> None:
        """Raise the error that ended a consumer, if one did."""
        for each in self._driven:
            if each.error is not None:
                raise each.error

    def invoke(self, consumer: str, event: Any, request_id: str) -> InvokeResponse:
        """Invoke a consumer's function outside its stream, as a redrive does."""
        (driven,) = (each for each in self._driven if each.driver.name == consumer)
        return driven.runner.invoke(event, request_id)

    def replace(self, consumers: Sequence[DeployedConsumer]) -> None:
        """Run the code of these consumers from the next invocation on, after a new synthesis."""
        functions = {each.name: each.function for each in consumers}
        for each in self._driven:
            if (function := functions.get(each.driver.name)) is not None:
                each.runner.use(function)


@contextlib.contextmanager
def drive(
    consumers: Sequence[DeployedConsumer],
    client: Client,
    *,
    checkpoints: CheckpointStore,
    observer: Observer,
    connection: Mapping[str, str],
    scratch: Path | None = None,
    clock: Clock = system_ms,
) -> Iterator[LiveSession]:
    """Drive the consumers while the block runs.

    `client("sqs")` makes a boto3 client. `connection` holds the environment variables with which
    the functions make theirs. Their temporary files lie in `scratch` (None: the system's folder).
    `clock` gives the time by which records age. An error that ended a consumer is raised at the end
    of the block, unless the block ends with an error of its own.
    """
    deliver = Destinations(client).send
    with contextlib.ExitStack() as stack:
        driven: list[_Driven] = []
        for each in consumers:
            driven.append(
                _drive(
                    each,
                    api=client("dynamodbstreams"),
                    deliver=deliver,
                    checkpoints=checkpoints,
                    observer=observer,
                    connection=connection,
                    scratch=scratch,
                    clock=clock,
                )
            )
            stack.callback(driven[-1].stop)
        for one in driven:
            one.thread.start()
        session = LiveSession(driven)
        yield session
        session.check()


def _drive(
    deployed: DeployedConsumer,
    *,
    api: StreamsApi,
    deliver: Delivery,
    checkpoints: CheckpointStore,
    observer: Observer,
    connection: Mapping[str, str],
    scratch: Path | None,
    clock: Clock,
) -> _Driven:
    threads = ThreadExecutor(_THREADS, clock)
    runner = FunctionRunner(
        deployed.function,
        connection=connection,
        on_log=partial(observer.log, deployed.name),
        scratch=scratch,
    )
    driver = MappingDriver(
        deployed.name,
        deployed.mapping,
        api=api,
        invoke=runner.invoke,
        deliver=deliver,
        checkpoints=checkpoints,
        executor=threads,
        on_notice=partial(observer.notice, deployed.name),
    )
    return _Driven(driver, runner, threads)
