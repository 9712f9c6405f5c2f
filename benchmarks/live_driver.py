"""20,000 writes at full speed, 1 % poison, through the live driver on DynamoDB Local.

    python benchmarks/live_driver.py [--writes 20000]

Every record must be handled or dead-lettered exactly as the simulator says of the same records.
Beside it ministack's own poller with the same writes, on what it can do: no retries, no bisect, no
partial responses, so without poison. Needs Java and npm.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from cdk_streams.lambda_local import LogLine
from cdk_streams.live import CheckpointStore, InvocationFinished, Notice, Progress, event_record
from cdk_streams.live import drive as drive_consumers
from cdk_streams.local import client, local_aws
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import FailureSent, Invoke, SendFailure, WakeAt, Woken
from cdk_streams.simulator import simulate
from tests.bench.dynamodb_local import dynamodb_local, fetch, missing
from tests.bench.fixture import scenario_fixture
from tests.bench.scenario import Result, Scenario
from tests.bench.scenario_handler import behaving

CACHE = Path(__file__).parents[1] / ".cache"
Clients = Callable[[str], Any]


class TimeSpent:
    """Seconds that the batches of each shard, one at a time, spend on each kind of work."""

    def __init__(self) -> None:
        self.of_shard: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._since: dict[str, float] = {}

    def take(self, notice: Notice) -> None:
        """Note when something was asked for, and count the time until it has come."""
        now = time.perf_counter()
        match notice:
            case Invoke(shard_id) | WakeAt(shard_id) | SendFailure(shard_id):
                self._since[shard_id] = now
            case InvocationFinished(invoke, response):
                spent = self.of_shard[invoke.shard_id]
                spent["the calls"] += response.duration_s
                spent["threads"] += now - self._since[invoke.shard_id] - response.duration_s
            case Woken(shard_id):
                self.of_shard[shard_id]["Lambda's waits"] += now - self._since[shard_id]
            case FailureSent(shard_id):
                self.of_shard[shard_id]["failure records"] += now - self._since[shard_id]
            case _:
                pass


class Observer:
    """Counts what is done, and how old the youngest record of each call is when it is sent."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.spent = TimeSpent()
        self.lag_s: list[float] = []
        self.call_ms: list[float] = []
        self._lock = threading.Lock()

    def notice(self, _consumer: str, at_ms: int, notice: Notice) -> None:
        """Take part in a run."""
        with self._lock:
            self.spent.take(notice)
            if isinstance(notice, Invoke):
                self.lag_s.append(self.progress.lag_ms(at_ms) / 1000)
            if isinstance(notice, InvocationFinished):
                self.call_ms.append(notice.response.duration_s * 1000)
            self.progress.take(at_ms, notice)

    def log(self, _consumer: str, _line: LogLine) -> None:
        """Take part in a run; this handler prints nothing."""

    @property
    def settled(self) -> int:
        """Return how many records are dealt with."""
        with self._lock:
            return self.progress.handled + self.progress.discarded


def write(dynamodb: Any, table: str, count: int) -> None:
    """Write `count` items from eight threads, 25 in a request."""

    def batch(first: int) -> None:
        items = [
            {"pk": {"S": f"item-{number}"}, "ordinal": {"N": str(number)}}
            for number in range(first, min(first + 25, count + 1))
        ]
        requests: Any = {table: [{"PutRequest": {"Item": item}} for item in items]}
        while requests:
            requests = dynamodb.batch_write_item(RequestItems=requests).get("UnprocessedItems")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(batch, range(1, count + 1, 25)))


def read_all(streams: Any, stream_arn: str) -> dict[str, list[Any]]:
    """Return every record of the stream as Lambda delivers it, by shard."""
    found: dict[str, list[Any]] = {}
    for shard in streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]:
        records = found[shard["ShardId"]] = []
        iterator = streams.get_shard_iterator(
            StreamArn=stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            records += [event_record(each, stream_arn) for each in page["Records"]]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return found


def scenario(writes: int, *, poisoned: bool) -> Scenario:
    poison = list(range(50, writes + 1, 100)) if poisoned else []
    return Scenario(
        "throughput",
        "1 % poison, isolated by bisect and partial responses",
        MappingSettings(
            batch_size=100,
            retry_attempts=1,
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
        ),
        {"bad": poison, "how": "report"},
        Result(()),
        count=0,
    )


def drive(what: str, clients: Clients, writes: int, *, poisoned: bool) -> None:
    """Write and drive at the same time, then compare with the simulator."""
    asked = scenario(writes, poisoned=poisoned)
    observer = Observer()
    with contextlib.ExitStack() as stack:
        fixture = stack.enter_context(scenario_fixture(asked, clients))
        checkpoints = stack.enter_context(CheckpointStore(fixture.asset.parent / "checkpoints"))
        consumer = fixture.consumer()
        run = stack.enter_context(
            drive_consumers(
                [consumer], clients, checkpoints=checkpoints, observer=observer, connection={}
            )
        )
        began = time.monotonic()
        write(clients("dynamodb"), fixture.table, writes)
        written = time.monotonic()
        while observer.settled < writes:
            run.check()
            time.sleep(0.05)
        ended = time.monotonic()
        time.sleep(0.5)
        failures = fixture.failures()
        records = read_all(clients("dynamodbstreams"), fixture.stream_arn)
    tell(what, writes, began, written, ended)
    compare(asked, records, failures, observer)
    lags, calls = sorted(observer.lag_s), sorted(observer.call_ms)
    progress = observer.progress
    print(
        f"  lag p50 {lags[len(lags) // 2]:.2f} s, max {lags[-1]:.2f} s; {progress.calls} calls, "
        f"p50 {calls[len(calls) // 2]:.1f} ms, {progress.retries} retries, {progress.splits} splits"
    )
    for shard_id, spent in observer.spent.of_shard.items():
        parts = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in spent.items())
        print(f"  {shard_id}: {parts}, the rest {ended - began - sum(spent.values()):.1f} s")


def compare(
    asked: Scenario, records: dict[str, list[Any]], failures: list[Any], observer: Observer
) -> None:
    """Check that the real run discarded the records that the simulator discards, and no others."""
    simulated = simulate(
        behaving(dict(asked.plan)),
        records,
        settings=MappingSettings(
            batch_size=100,
            retry_attempts=1,
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            on_failure="arn:aws:sqs:us-east-1:000000000000:failed",
        ),
    )
    expected, got = sorted(map(discarded, simulated.failures)), sorted(map(discarded, failures))
    same = "the same" if expected == got else "NOT THE SAME"
    print(
        f"  {observer.progress.handled} handled, {observer.progress.discarded} dead-lettered in "
        f"{len(got)} failure records; simulator: {len(expected)}, {same} records"
    )
    if expected != got:
        raise SystemExit(1)


def discarded(body: Any) -> tuple[str, ...]:
    batch, request = body["DDBStreamBatchInfo"], body["requestContext"]
    return (
        batch["startSequenceNumber"],
        batch["endSequenceNumber"],
        str(batch["batchSize"]),
        request["condition"],
        str(request["approximateInvokeCount"]),
    )


@contextlib.contextmanager
def ministack_mapping(clients: Clients, seen: Path) -> Iterator[str]:
    """Deploy a handler that counts its records, and ministack's own mapping of a new table."""
    code = io.BytesIO()
    handler = (
        "def handler(event, context):\n"
        f"    with open({str(seen)!r}, 'a') as seen:\n"
        "        seen.write('.' * len(event['Records']))\n"
    )
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("count.py", handler)
    table = clients("dynamodb").create_table(
        TableName="ministack",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    clients("lambda").create_function(
        FunctionName="count",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="count.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
    )
    clients("lambda").create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"],
        FunctionName="count",
        StartingPosition="TRIM_HORIZON",
        BatchSize=100,
    )
    yield "ministack"


def beside(clients: Clients, writes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder, "seen")
        seen.touch()
        with ministack_mapping(clients, seen) as table:
            began = time.monotonic()
            write(clients("dynamodb"), table, writes)
            written = time.monotonic()
            before, moved = -1, time.monotonic()
            while (size := seen.stat().st_size) < writes and time.monotonic() < moved + 30:
                if size != before:
                    before, moved = size, time.monotonic()
                time.sleep(0.05)
            ended = time.monotonic()
    tell("ministack's own poller, no poison", seen_or(size, writes), began, written, ended)


def seen_or(size: int, writes: int) -> int:
    if size != writes:
        print(f"  ministack delivered {size} of {writes} and stopped moving")
    return size


def tell(what: str, records: int, began: float, written: float, ended: float) -> None:
    took = ended - began
    print(
        f"{what}: {records} records in {took:.1f} s, {records / took:.0f} records/s; written in "
        f"{written - began:.1f} s, done {ended - written:.1f} s after the last write"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writes", type=int, default=20_000)
    writes = parser.parse_args().writes
    if (why_not := missing()) is not None:
        raise SystemExit(why_not)
    with local_aws() as aws:

        def near(service: str) -> Any:
            return client(aws, service)

        for poisoned in (True, False):
            # A new one each time: DynamoDB Local gets slow with what it was given before.
            with dynamodb_local(fetch(CACHE)) as endpoint_url:
                what = f"live driver, DynamoDB Local, {'1 %' if poisoned else 'no'} poison"
                drive(what, beside_queues(near, endpoint_url), writes, poisoned=poisoned)
        drive("live driver, ministack, no poison", near, writes, poisoned=False)
        beside(near, writes)


def beside_queues(near: Clients, endpoint_url: str) -> Clients:
    """Return clients of DynamoDB at the endpoint, and of everything else near."""
    session = boto3.Session("local", "local", region_name="us-east-1")

    def client_of(service: Any) -> Any:
        if not service.startswith("dynamodb"):
            return near(service)
        return session.client(service, endpoint_url=endpoint_url)

    return client_of


if __name__ == "__main__":
    main()
