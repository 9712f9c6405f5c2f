"""`cdk-streams redrive` as a person uses it: a record fails for good, the handler is fixed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import main
from cdk_streams.lambda_local import LogLine
from cdk_streams.live import (
    CheckpointStore,
    DeployedConsumer,
    Notice,
    drive,
    read_consumers,
    read_stacks,
)
from cdk_streams.local import LocalAws, client, connection_variables, environment
from cdk_streams.poller import FailureSent

pytestmark = pytest.mark.e2e

NAMES = ("Told", "Kept", "Careful")
# Trips over one item, and writes down what it has handled.
HANDLER = """
import os
from lambda_runtime import Insert, Router

on = Router()

@on.insert
def created(change: Insert) -> None:
    if change.new["pk"] == "poison" and WRONG:
        raise ValueError("cannot handle it")
    with open(os.environ["SEEN"], "a") as seen:
        print(change.new["pk"], change.new["who"], file=seen)

handler = on.handler
WRONG = True
"""

# Cannot reach its database for two attempts, rejects one item, and counts what it does.
CAREFUL_HANDLER = """
import os
from lambda_runtime import Insert, Pause, Reject, Router

on = Router(metrics="Shop", pause_on=Pause(ConnectionError, after=2, seconds=4))

@on.insert
def created(change: Insert) -> None:
    if change.new["pk"] == "poison" and WRONG:
        raise Reject("cannot handle it")
    with open(os.environ["SEEN"] + ".attempts", "a+") as attempts:
        print(change.new["pk"], file=attempts)
        attempts.seek(0)
        if len(attempts.readlines()) <= 2:
            raise ConnectionError("no database")
    with open(os.environ["SEEN"], "a") as seen:
        print(change.new["pk"], change.new["who"], file=seen)

handler = on.handler
WRONG = True
"""


class UntilSent:
    """Waits until failure records have reached their destination, and keeps what is logged."""

    def __init__(self) -> None:
        self.sent = threading.Semaphore(0)
        self.lines: list[tuple[str, str]] = []

    def notice(self, _consumer: str, _at_ms: int, notice: Notice) -> None:
        if isinstance(notice, FailureSent) and notice.delivered:
            self.sent.release()

    def log(self, consumer: str, line: LogLine) -> None:
        self.lines.append((consumer, line.text))


class Shop:
    """A deployed stack of three consumers.

    The first sends failure records to a queue, the second keeps failed records in a bucket, and the
    third rejects a record, pauses after failures and writes metrics.
    """

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.outputs: dict[str, str] = {}
        self.consumers: Sequence[DeployedConsumer] = ()
        self.watch = UntilSent()

    def client(self, service: str) -> Any:
        return client(self.aws, service)

    def deploy(self) -> None:
        """Deploy as the cdk command does, which takes three times as long."""
        synthesize(self.folder)
        (stack,) = read_stacks(self.folder / "cdk.out")
        assets = json.loads((self.folder / "cdk.out" / "Shop.assets.json").read_text())
        bucket = f"cdk-hnb659fds-assets-{self.aws.account}-{self.aws.region}"
        self.client("s3").create_bucket(Bucket=bucket)
        for each in assets["files"].values():
            (put,) = each["destinations"].values()
            if each["source"]["packaging"] == "zip":
                code = zipped(self.folder / "cdk.out" / each["source"]["path"])
                self.client("s3").put_object(Bucket=bucket, Key=put["objectKey"], Body=code)
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName="Shop",
            TemplateBody=(self.folder / "cdk.out" / "Shop.template.json").read_text(),
            Capabilities=["CAPABILITY_IAM"],
        )
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName="Shop", WaiterConfig={"Delay": 1})
        (described,) = cloudformation.describe_stacks(StackName="Shop")["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
        self.consumers = read_consumers(stack, self.client)
        for each in self.consumers:
            # The poller of the local AWS knows neither retries nor failures.
            uuid = each.mapping.uuid
            self.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)

    def fail(self) -> None:
        """Write four items, of which each consumer handles two and fails with one or rejects it."""
        watch = self.watch
        with (
            CheckpointStore(self.folder / "checkpoints") as checkpoints,
            drive(
                self.consumers,
                self.client,
                checkpoints=checkpoints,
                observer=watch,
                connection=connection_variables(self.aws),
            ),
        ):
            for name in ("one", "ignored", "poison", "three"):
                item = {"pk": {"S": name}, "who": {"S": "Ada"}}
                self.client("dynamodb").put_item(TableName=self.outputs["TableName"], Item=item)
            for _ in ("Told", "Kept"):
                assert watch.sent.acquire(timeout=60)
            give_up = time.monotonic() + 60
            while any(self.seen(name)[-1:] != ["three Ada"] for name in NAMES):
                assert time.monotonic() < give_up
                time.sleep(0.05)

    def fix(self, name: str) -> None:
        """Deploy a function whose handler no longer trips over the record."""
        deployed = self.outputs[f"{name}Name"]
        (consumer,) = [each for each in self.consumers if each.function.name == deployed]
        code = zipped(consumer.function.asset, ("WRONG = True", "WRONG = False"))
        self.client("lambda").update_function_code(FunctionName=deployed, ZipFile=code)

    def redrive(self, *options: str) -> Result:
        return self.command("redrive", *options)

    def command(self, *words: str) -> Result:
        others = {name: None for name in os.environ if name.startswith("AWS_")}
        return CliRunner().invoke(
            main,
            [*words, "--endpoint-url", self.aws.endpoint_url],
            env={**others, **connection_variables(self.aws)},
        )

    def seen(self, name: str) -> list[str]:
        """Return what a consumer has handled, line by line."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def messages(self, name: str) -> int:
        """Return how many messages a consumer's failure queue holds, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[f"{name}Queue"], AttributeNames=names
        )
        return sum(int(answer["Attributes"][each]) for each in names)


def synthesize(folder: Path) -> None:
    """Synthesize the stack: a consumer for each way in which what fails is kept."""
    cdk, dynamodb = import_module("aws_cdk"), import_module("aws_cdk.aws_dynamodb")
    lambda_ = import_module("aws_cdk.aws_lambda")
    streams = import_module("cdk_streams")
    # The cdk command asks for this: where the code of each function is.
    context = {"aws:cdk:enable-asset-metadata": True}
    app = cdk.App(context=context, outdir=str(folder / "cdk.out"), analytics_reporting=False)
    here = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    stack = cdk.Stack(app, "Shop", synthesizer=here)
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    table = streams.StreamTable(stack, "Orders", partition_key=key)
    for name, on_failure in [
        ("Told", streams.OnFailure.QUEUE),
        ("Kept", streams.OnFailure.QUEUE_WITH_PAYLOAD),
    ]:
        function = streams.StreamFunction(
            stack,
            f"{name}Function",
            entry=str(folder / "audit.py"),
            environment={"SEEN": str(folder / name)},
        )
        consumer = streams.StreamConsumer(
            stack,
            name,
            table=table,
            function=function,
            retry_attempts=0,
            on_failure=on_failure,
            alarms=None,
            filters=[streams.Filter.insert(streams.NewImage("pk").ne("ignored"))],
        )
        cdk.CfnOutput(stack, f"{name}Queue", value=consumer.failure_queue.queue_url)
        cdk.CfnOutput(stack, f"{name}Name", value=function.function_name)
    function = streams.StreamFunction(
        stack,
        "CarefulFunction",
        entry=str(folder / "careful.py"),
        environment={"SEEN": str(folder / "Careful")},
    )
    alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
    careful = streams.StreamConsumer(
        stack,
        "Careful",
        table=table,
        function=alias,
        retry_attempts=None,
        rejects=streams.OnFailure.QUEUE,
        alarms=None,
        filters=[streams.Filter.insert(streams.NewImage("pk").ne("ignored"))],
    )
    cdk.CfnOutput(stack, "CarefulQueue", value=careful.reject_queue.queue_url)
    cdk.CfnOutput(stack, "CarefulName", value=function.function_name)
    cdk.CfnOutput(stack, "TableName", value=table.table_name)
    app.synth()


def zipped(asset: Path, change: tuple[str, str] = ("", "")) -> bytes:
    """Return an asset as a zip file, `change` made in its text."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for path in asset.rglob("*.py"):
            text = path.read_text()
            archive.writestr(
                str(path.relative_to(asset)), text.replace(*change) if change[0] else text
            )
    return code.getvalue()


@pytest.fixture(scope="module")
def shop(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "audit.py").write_text(HANDLER)
    (folder / "careful.py").write_text(CAREFUL_HANDLER)
    made = Shop(aws, folder)
    made.deploy()
    made.fail()
    yield made
    with contextlib.suppress(Exception):
        made.client("cloudformation").delete_stack(StackName="Shop")


@pytest.mark.parametrize(
    ("name", "reads", "deletes"),
    [
        ("Told", "1 read back, 0 missing", "then deletes the failure record"),
        ("Kept", "1 in the object", "then deletes the message, not the object"),
    ],
)
def test_a_record_that_failed_is_handled_by_the_fixed_function(
    shop: Shop, name: str, reads: str, deletes: str
) -> None:
    before = shop.messages(name)
    plan = shop.redrive("--queue", shop.outputs[f"{name}Queue"])
    assert plan.exit_code == 0, plan.output
    assert reads in plan.output
    assert f"calls {shop.outputs[f'{name}Name']} with 1 record, {deletes}" in plan.output
    assert "Ada" not in plan.output
    assert (shop.messages(name), shop.seen(name)) == (before, ["one Ada", "three Ada"])

    by = ("--stack", "Shop", "--consumer", name)
    early = shop.redrive(*by, "--yes")
    assert early.exit_code == 1, early.output
    assert "1. kept: the function reported 1 as failed" in early.output
    assert shop.messages(name) == 1

    (listed,) = json.loads(shop.command("failures", "list", *by, "--json").output)["failures"]
    behind = shop.command("failures", "show", listed["id"], *by)
    assert behind.exit_code == 0, behind.output
    assert "its item has not changed since" in behind.output
    assert "Ada" not in behind.output
    assert (
        '+ who: "Ada"' in shop.command("failures", "show", listed["id"], *by, "--show-data").output
    )
    assert shop.messages(name) == 1

    shop.fix(name)
    late = shop.redrive(*by, "--only", listed["id"], "--yes")
    assert late.exit_code == 0, late.output
    assert "1. redriven" in late.output
    assert shop.seen(name) == ["one Ada", "three Ada", "poison Ada"]
    assert shop.messages(name) == 0


def test_a_consumer_pauses_rejects_and_measures(shop: Shop) -> None:
    name = "Careful"
    texts = [text for who, text in shop.watch.lines if who.startswith(name)]
    metrics = [json.loads(text) for text in texts if text.startswith('{"_aws"')]
    batches = [each for each in metrics if "Records" in each]

    # Two attempts failed, then it was paused; no record was skipped or discarded.
    assert shop.seen(name)[:2] == ["one Ada", "three Ada"]
    assert sum("stream batch ended in a pause" in text for text in texts) >= 1
    assert sum(each["Failed"] for each in batches) >= 2
    assert sum(each["Handled"] for each in batches) == 2
    assert sum(each["Rejected"] for each in batches) == 1
    latencies = [value for each in batches for value in each.get("Latency", [])]
    assert len(latencies) == 2
    # The first record waited for the failed attempts.
    assert 500 <= latencies[0] < 60_000

    assert shop.messages(name) == 1
    queue = ("--queue", shop.outputs["CarefulQueue"], "--rejects")
    shown = shop.redrive(*queue)
    assert f"function {shop.outputs['CarefulName']}:live" in shown.output, shown.output
    assert "Ada" not in shown.output


def test_the_page_drives_a_stack_that_is_deployed_somewhere(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/local.md: the consumers go on behind what they have handled before."""
    page = Path(__file__).parents[3] / "docs" / "local.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    here = connection_variables(shop.aws)
    for name, shown in [
        ("AWS_ENDPOINT_URL", "http://localhost:4566"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]:
        assert f'"{name}": "{shown}"' in block
        block = block.replace(f'"{name}": "{shown}"', f'"{name}": "{here[name]}"')

    def until_handled(_prompt: str) -> str:
        item = {"pk": {"S": "four"}, "who": {"S": "Bob"}}
        shop.client("dynamodb").put_item(TableName=shop.outputs["TableName"], Item=item)
        give_up = time.monotonic() + 60
        while any(shop.seen(name)[-1:] != ["four Bob"] for name in ("Told", "Kept")):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        return ""

    before = {name: shop.seen(name) for name in ("Told", "Kept")}
    monkeypatch.chdir(shop.folder)
    exec(block, {"input": until_handled})  # noqa: S102 - the page's own code
    for name, lines in before.items():
        assert shop.seen(name) == [*lines, "four Bob"]


def test_the_object_stays_and_is_redriven_by_itself_when_no_queue_is_told(shop: Shop) -> None:
    s3 = shop.client("s3")
    arns = [each.mapping.destination or "" for each in shop.consumers]
    (bucket,) = [arn.split(":")[-1] for arn in arns if ":s3:" in arn]
    (kept,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    shop.fix("Kept")
    before = shop.seen("Kept")
    answer = shop.redrive("--stack", "Shop", "--consumer", "Kept", "--yes")
    assert answer.exit_code == 0, answer.output
    assert f"1. in s3://{bucket}/{kept['Key']}\n" in answer.output
    assert "with 1 record, then deletes the object" in answer.output
    assert shop.seen("Kept") == [*before, "poison Ada"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_command_itself_tells_of_a_stack_that_is_not_there(shop: Shop) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cdk_streams", "redrive", "--stack", "Ship"],
        env=environment(shop.aws),
        capture_output=True,
        text=True,
        check=False,
    )
    expected = "Error: there is no stack Ship in the account and Region that were asked"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{expected}\n"
