"""Events a second: a forwarder beside a plain handler that sends one after the other, same run.

    python benchmarks/forwarder.py

1,000 inserts to each target of one local AWS, twice in turns; the better turn of each counts.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from cdk_streams.local import client, local_aws
from cdk_streams.simulator import in_order, insert
from lambda_runtime import Insert, forward, parse, to_json
from lambda_runtime.forward import Forwarder

CHANGES = 1_000
TURNS = 2
RECORDS = in_order(
    *(
        insert({"pk": f"o-{number}", "status": "PAID", "total": number, "note": "x" * 100})
        for number in range(CHANGES)
    )
)


class Services:
    """The local AWS's clients, each made once."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self.client = clients

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def targets(clients: Callable[[str], Any]) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """Return each target with the function by which a plain handler sends one change to it."""
    sqs, events, kinesis = clients("sqs"), clients("events"), clients("kinesis")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="queue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    events.create_event_bus(Name="bus")
    kinesis.create_stream(StreamName="stream", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="stream", WaiterConfig={"Delay": 1})

    def message(change: Insert) -> None:
        sqs.send_message(QueueUrl=queue, MessageBody=to_json(change))

    def in_group(change: Insert) -> None:
        sqs.send_message(
            QueueUrl=fifo,
            MessageBody=to_json(change),
            MessageGroupId=change.keys["pk"],
            # Not the forwarder's, which would be dropped.
            MessageDeduplicationId=f"plain-{change.event_id}",
        )

    def entry(change: Insert) -> None:
        detail = {"EventBusName": "bus", "Source": "s", "DetailType": "t"}
        events.put_events(Entries=[{**detail, "Detail": to_json(change)}])

    def record(change: Insert) -> None:
        data, key = to_json(change).encode(), change.keys["pk"]
        kinesis.put_record(StreamName="stream", Data=data, PartitionKey=key)

    return {
        "EventBus": (forward.EventBus("bus"), entry),
        "SqsQueue": (forward.SqsQueue(queue), message),
        "SqsQueue, FIFO": (forward.SqsQueue(fifo), in_group),
        "KinesisStream": (forward.KinesisStream("stream"), record),
    }


def seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def plain(send: Callable[[Any], Any]) -> None:
    for change in parse({"Records": RECORDS}):
        send(change)


def forwarded(target: Any) -> None:
    answer = Forwarder(target).handler({"Records": RECORDS})
    assert answer == {"batchItemFailures": []}, answer  # noqa: S101 - a figure of failures is none


def main() -> None:
    with local_aws() as aws:
        clients = functools.cache(functools.partial(client, aws))
        print("| target | plain handler | forwarder | ratio |\n|---|---|---|---|")
        with forward.services(Services(clients)):
            for name, (target, send) in targets(clients).items():
                each: list[float] = []
                batched: list[float] = []
                for _ in range(TURNS):
                    each.append(seconds(functools.partial(plain, send)))
                    batched.append(seconds(functools.partial(forwarded, target)))
                slow, fast = min(each), min(batched)
                rates = f"{CHANGES / slow:,.0f}/s | {CHANGES / fast:,.0f}/s"
                print(f"| `{name}` | {rates} | {slow / fast:.1f}x |", flush=True)


if __name__ == "__main__":
    main()
