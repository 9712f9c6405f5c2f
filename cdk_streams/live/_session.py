"""Run consumers for real, each on a thread of its own, until the block is left.

    with PositionStore(path) as positions, driving(consumers, services, positions=positions):
        …

Leaving the block ends every function's process and every thread. Nothing is lost: what was not
dealt with is read again by the next run from the positions that were kept.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cdk_streams._signals import undisturbed
from cdk_streams.lambda_local._environment import Answer
from cdk_streams.lambda_local._logs import LogLine
from cdk_streams.lambda_local._runner import FunctionRunner
from cdk_streams.live._checkpoints import PositionStore
from cdk_streams.live._deployed_stack import Client, DeployedConsumer
from cdk_streams.live._destinations import Delivery, Destinations
from cdk_streams.live._driver import Consumer, Notice
from cdk_streams.live._executor import Clock, Threads, system_ms
from cdk_streams.live._streams_api import StreamsApi

__all__ = ["Audience", "Run", "driving"]

# Requests of one consumer at a time: a read of each shard and the calls of its lanes.
_THREADS = 64


class Audience(Protocol):
    """Who watches a run; called from several threads, and must not block."""

    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None:
        """Take an event, an effect, a trouble or a function's answer."""
        ...

    def log(self, consumer: str, line: LogLine) -> None:
        """Take a line that the consumer's function printed."""
        ...


class _Driven:
    """One consumer with what it runs on."""

    def __init__(self, consumer: Consumer, runner: FunctionRunner, threads: Threads) -> None:
        self.consumer = consumer
        self.runner = runner
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=f"consumer-{consumer.name}")
        self._threads = threads
        self._stopping = False

    def stop(self) -> None:
        """End after the current turn; a function that is under way is ended at once."""
        with undisturbed():
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._threads.post(lambda: None)
        self.runner.close()
        if self.thread.is_alive():
            self.thread.join()
        self._threads.close()

    def _run(self) -> None:
        """Turn the consumer until it is told to stop; an error ends it and is kept."""
        try:
            self.consumer.start()
            while not self._stopping:
                self.consumer.turn()
        except BaseException as error:  # noqa: BLE001 - raised again by `Run.check`
            self.error = error


class Run:
    """The consumers that are driven."""

    def __init__(self, driven: Sequence[_Driven]) -> None:
        self._driven = driven

    def check(self) -> None:
        """Raise the error that ended a consumer, if one did."""
        for each in self._driven:
            if each.error is not None:
                raise each.error

    def invoke(self, consumer: str, event: Any, request_id: str) -> Answer:
        """Call a consumer's function beside its stream, as a redrive does."""
        (driven,) = (each for each in self._driven if each.consumer.name == consumer)
        return driven.runner.invoke(event, request_id)

    def replace(self, consumers: Sequence[DeployedConsumer]) -> None:
        """Run the code of these consumers from the next call on: a new synthesis of the same."""
        functions = {each.name: each.function for each in consumers}
        for each in self._driven:
            if (function := functions.get(each.consumer.name)) is not None:
                each.runner.use(function)


@contextlib.contextmanager
def driving(
    consumers: Sequence[DeployedConsumer],
    client: Client,
    *,
    positions: PositionStore,
    audience: Audience,
    connection: Mapping[str, str],
    scratch: Path | None = None,
    clock: Clock = system_ms,
) -> Iterator[Run]:
    """Drive the consumers while the block runs.

    `client("sqs")` makes a boto3 client; `connection` is what the functions get to make theirs.
    Their temporary files lie in `scratch` (None: the system's folder for them). By `clock` the
    consumers judge how old a record is. An error that ended a consumer is raised at the end of the
    block too, unless the block ends with one of its own.
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
                    positions=positions,
                    audience=audience,
                    connection=connection,
                    scratch=scratch,
                    clock=clock,
                )
            )
            stack.callback(driven[-1].stop)
        for one in driven:
            one.thread.start()
        run = Run(driven)
        yield run
        run.check()


def _drive(
    deployed: DeployedConsumer,
    *,
    api: StreamsApi,
    deliver: Delivery,
    positions: PositionStore,
    audience: Audience,
    connection: Mapping[str, str],
    scratch: Path | None,
    clock: Clock,
) -> _Driven:
    threads = Threads(_THREADS, clock)
    runner = FunctionRunner(
        deployed.function,
        connection=connection,
        on_log=partial(audience.log, deployed.name),
        scratch=scratch,
    )
    consumer = Consumer(
        deployed.name,
        deployed.mapping,
        api=api,
        invoke=runner.invoke,
        deliver=deliver,
        positions=positions,
        work=threads,
        observe=partial(audience.notice, deployed.name),
    )
    return _Driven(consumer, runner, threads)
