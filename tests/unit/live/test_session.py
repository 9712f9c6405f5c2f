from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live._checkpoints import CheckpointStore
from cdk_streams.live._deployed_stack import DeployedConsumer
from cdk_streams.live._session import drive
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping


class BrokenApi:
    """A client with a fault that no request of it is expected to have."""

    def describe_stream(self, **_request: Any) -> Any:
        raise RuntimeError("a fault of the client itself")


class NoObserver:
    def notice(self, *_: object) -> None:
        pass

    def log(self, *_: object) -> None:
        pass


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Any]:
    function = DeployedFunction(tmp_path, "audit.handler")
    mapping = EventSourceMapping(
        settings=MappingSettings(),
        function_arn=function.invoked_arn,
        stream_arn="arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/label",
        uuid="mapping",
    )
    with CheckpointStore(tmp_path / "checkpoints") as checkpoints:
        yield lambda: drive(
            [DeployedConsumer("audit", function, mapping)],
            lambda _service: BrokenApi(),
            checkpoints=checkpoints,
            observer=NoObserver(),
            connection={},
        )


def _until_it_ends(run: Any) -> None:
    for each in run._driven:
        each.thread.join()


def _fail_after_it_ends(run: Any) -> None:
    _until_it_ends(run)
    raise ValueError("a fault of the block")


def test_an_error_that_ended_a_consumer_leaves_the_block(driven: Any) -> None:
    with pytest.raises(RuntimeError, match="a fault of the client itself"), driven() as run:
        _until_it_ends(run)


def test_an_error_of_the_block_comes_first(driven: Any) -> None:
    with pytest.raises(ValueError, match="of the block"), driven() as run:
        _fail_after_it_ends(run)
