"""Event source mappings on a real DynamoDB Streams API, by the rules of `cdk_streams.poller`.

    stacks = read_stacks(Path("cdk.out"))
    consumers = [each for stack in stacks for each in read_consumers(stack, client)]
    with CheckpointStore(path) as checkpoints, drive(consumers, client, checkpoints=checkpoints, …):
        …

Each name is loaded when it is first used: reading a template does not pay for boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.live._checkpoints import CheckpointStore, ShardCheckpoint
    from cdk_streams.live._deployed_stack import (
        DeployedConsumer,
        SynthesizedStack,
        read_consumers,
        read_stacks,
    )
    from cdk_streams.live._destinations import Client, Destinations, queue_url
    from cdk_streams.live._driver import InvocationFinished, MappingDriver, Notice, Problem
    from cdk_streams.live._event_records import event_record
    from cdk_streams.live._executor import SerialExecutor, ThreadExecutor, system_ms
    from cdk_streams.live._progress import Progress, RetryWait
    from cdk_streams.live._session import LiveSession, Observer, drive
    from cdk_streams.live._shard_reader import (
        AfterNumber,
        AtEnd,
        AtNumber,
        AtStart,
        Page,
        ShardReader,
    )
    from cdk_streams.live._stream_tail import StreamTail, TailPage
    from cdk_streams.live._streams_api import StreamsApi, list_shards

__all__ = [
    "AfterNumber",
    "AtEnd",
    "AtNumber",
    "AtStart",
    "CheckpointStore",
    "Client",
    "DeployedConsumer",
    "Destinations",
    "InvocationFinished",
    "LiveSession",
    "MappingDriver",
    "Notice",
    "Observer",
    "Page",
    "Problem",
    "Progress",
    "RetryWait",
    "SerialExecutor",
    "ShardCheckpoint",
    "ShardReader",
    "StreamTail",
    "StreamsApi",
    "SynthesizedStack",
    "TailPage",
    "ThreadExecutor",
    "drive",
    "event_record",
    "list_shards",
    "queue_url",
    "read_consumers",
    "read_stacks",
    "system_ms",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.live._checkpoints": "CheckpointStore ShardCheckpoint",
            "cdk_streams.live._deployed_stack": (
                "DeployedConsumer SynthesizedStack read_consumers read_stacks"
            ),
            "cdk_streams.live._destinations": "Client Destinations queue_url",
            "cdk_streams.live._driver": "InvocationFinished MappingDriver Notice Problem",
            "cdk_streams.live._event_records": "event_record",
            "cdk_streams.live._executor": "SerialExecutor ThreadExecutor system_ms",
            "cdk_streams.live._progress": "Progress RetryWait",
            "cdk_streams.live._session": "LiveSession Observer drive",
            "cdk_streams.live._shard_reader": "AfterNumber AtEnd AtNumber AtStart Page ShardReader",
            "cdk_streams.live._stream_tail": "StreamTail TailPage",
            "cdk_streams.live._streams_api": "StreamsApi list_shards",
        },
    )
