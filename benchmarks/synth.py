"""What synthesis costs: `PYTHONPATH=. python benchmarks/synth.py [--beside PYTHON]`.

Forty tables, each with a function that reads its stream, a failure queue and two alarms, built and
synthesized in three ways, by turns in one process, with CDK's template validator off (it costs all
of them the same):

    ours       StreamTable, StreamFunction, StreamConsumer
    by hand    the same template from TableV2, Function, Queue, DynamoEventSource and Alarm
    solutions  AWS Solutions Constructs: DynamoDBStreamsToLambda, which has no alarms

Solutions Constructs needs an older aws-cdk-lib than ours. `--beside` names the Python of an
environment that holds it (aws-solutions-constructs.aws-dynamodbstreams-lambda): this script runs
there too, beside the same stack by hand in that environment, so that the ratios can be compared.

Ratios are of processor time, Python's and Node's together, round by round; a busy machine changes
them less than the clock. The script ends with 1 when ours takes more than 1.15 times as long.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import aws_cdk as cdk

os.environ["CDK_VALIDATION"] = "false"
ROOT = Path(__file__).parent.parent
CONSUMERS = 40
ROUNDS = 10
LIMIT = 1.15

Build: TypeAlias = Callable[["cdk.Stack", str, Path], None]
Times: TypeAlias = tuple[float, float]
"""Seconds on the clock, and of processor time: Python's and Node's together."""


def ours(stack: cdk.Stack, name: str, folder: Path) -> None:
    import cdk_streams as streams

    table = streams.StreamTable(stack, f"{name}Table", partition_key=_key())
    entry = folder / "index.py"
    function = streams.StreamFunction(stack, f"{name}Function", entry=entry)
    streams.StreamConsumer(stack, name, table=table, function=function)


def by_hand(stack: cdk.Stack, name: str, folder: Path) -> None:
    from aws_cdk import Duration
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_lambda_event_sources as sources
    from aws_cdk import aws_sqs as sqs

    table = dynamodb.TableV2(
        stack,
        f"{name}Table",
        partition_key=_key(),
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    )
    function = lambda_.Function(
        stack,
        f"{name}Function",
        code=lambda_.Code.from_asset(str(folder)),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        memory_size=256,
        timeout=Duration.seconds(60),
        environment={"STREAM_PARTIAL_RESPONSE": "1"},
    )
    failures = sqs.Queue(
        stack,
        f"{name}FailureQueue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    function.add_event_source(
        sources.DynamoEventSource(
            table,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            retry_attempts=11,
            max_record_age=Duration.hours(18),
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            on_failure=sources.SqsDlq(failures),
        )
    )
    _alarms_by_hand(stack, name, function, failures)


def _alarms_by_hand(stack: cdk.Stack, name: str, function: Any, failures: Any) -> None:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch

    for id_, metric, threshold, description in (
        (
            "IteratorAgeAlarm",
            function.metric("IteratorAge", statistic="Maximum", period=Duration.seconds(60)),
            10_800_000,
            "The consumer is behind its stream.",
        ),
        (
            "FailureQueueAlarm",
            failures.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=Duration.seconds(60)
            ),
            1,
            "Records failed for good.",
        ),
    ):
        cloudwatch.Alarm(
            stack,
            f"{name}{id_}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )


def solutions(stack: cdk.Stack, name: str, folder: Path) -> None:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_

    solutions_constructs = import_module("aws_solutions_constructs.aws_dynamodbstreams_lambda")
    solutions_constructs.DynamoDBStreamsToLambda(
        stack,
        name,
        lambda_function_props=lambda_.FunctionProps(
            code=lambda_.Code.from_asset(str(folder)),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
        ),
        dynamo_table_props=dynamodb.TableProps(partition_key=_key()),
    )


def _key() -> Any:
    from aws_cdk import aws_dynamodb as dynamodb

    return dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)


def synthesize(build: Build, folders: list[Path], outdir: str) -> tuple[Times, dict[str, Any]]:
    """Return the seconds from a new App to its templates, and the template."""
    import aws_cdk as cdk

    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    gc.collect()
    began, before = time.perf_counter(), cpu_seconds()
    app = cdk.App(context=context, outdir=outdir, analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    for number, folder in enumerate(folders):
        build(stack, f"C{number}", folder)
    assembly = app.synth()
    took = time.perf_counter() - began, cpu_seconds() - before
    return took, assembly.get_stack_by_name("Stack").template


def compare(builds: dict[str, Build], folder: Path) -> dict[str, list[Times]]:
    """Return the seconds of each build's rounds; the first round of all warms up."""
    times: dict[str, list[Times]] = {name: [] for name in builds}
    templates: dict[str, dict[str, Any]] = {}
    folders = write_handlers(folder / "handlers")
    for number in range(ROUNDS + 1):
        # Each goes first as often as the other: what one leaves behind, the next one clears away.
        for name, build in sorted(builds.items(), reverse=bool(number % 2)):
            outdir = str(folder / f"{name.replace(' ', '-')}-{number}")
            took, templates[name] = synthesize(build, folders, outdir)
            times[name] += [took] if number else []
    if "ours" in templates:
        difference = differing(templates["ours"], templates["by hand"])
        if difference:
            sys.exit(f"the templates must be the same, but are not in {', '.join(difference)}")
    for name, template in templates.items():
        print(f"  {name:<10} {len(template['Resources'])} resources")
    return times


def write_handlers(folder: Path) -> list[Path]:
    """Write a folder for each function: its own handler, and the runtime beside it."""
    for number in range(CONSUMERS):
        made = folder / f"{number}"
        leave_out = ignore_patterns("__pycache__")
        copytree(ROOT / "lambda_runtime", made / "lambda_runtime", ignore=leave_out)
        handler = f"# handler {number}\ndef handler(event, context):\n    return None\n"
        (made / "index.py").write_text(handler, encoding="utf-8")
    return sorted(folder.iterdir())


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the types of resources that two templates do not have alike.

    Names, hashes and the alarms' texts aside; IAM policies too: by hand they are those that
    CDK's grants write, ours are narrower.
    """

    def shape(template: dict[str, Any]) -> Counter[tuple[str, str]]:
        return Counter(
            (body["Type"], _nameless(body.get("Properties", {})))
            for body in template["Resources"].values()
            if body["Type"] != "AWS::IAM::Policy"
        )

    ours_, theirs = shape(one), shape(other)
    return sorted({kind for kind, _ in (ours_ - theirs) + (theirs - ours_)})


def _nameless(properties: dict[str, Any]) -> str:
    text = json.dumps(properties, sort_keys=True)
    text = re.sub(r'("AlarmDescription": )"[^"]*"', r"\1", text)
    # DynamoEventSource names the function, ours gives its ARN, which an alias has too.
    text = re.sub(r'("FunctionName": ){[^}]*}', r"\1", text)
    return re.sub(r'"[0-9a-f]{64}\.zip"|"C\d+\w*"', '"…"', text)


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it started, so far (Linux)."""
    ticks, ahead = 0, [os.getpid()]
    while ahead:
        process = Path("/proc") / str(ahead.pop())
        fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        for children in process.glob("task/*/children"):
            ahead += [int(child) for child in children.read_text(encoding="ascii").split()]
    return ticks / os.sysconf("SC_CLK_TCK")


def report(times: dict[str, list[Times]], base: str) -> float:
    """Print the medians; return the highest ratio of processor time to the base's."""
    worst = 0.0
    for name, rounds in times.items():
        clock, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratios = [
            [mine / his for mine, his in zip(one, other, strict=True)]
            for one, other in zip(rounds, times[base], strict=True)
        ]
        clock_ratio, cpu_ratio = (statistics.median(each) for each in zip(*ratios, strict=True))
        worst = max(worst, cpu_ratio)
        print(
            f"  {name:<10} {clock:5.2f} s, {clock_ratio:.2f} x {base};"
            f" processor {cpu:5.2f} s, {cpu_ratio:.2f} x"
        )
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--beside", help="Python of an environment with Solutions Constructs")
    arguments = parser.parse_args()
    installed = find_spec("aws_solutions_constructs") is not None
    builds = {"solutions": solutions} if installed else {"ours": ours}
    print(f"{CONSUMERS} consumers, {ROUNDS} rounds, aws-cdk-lib {version('aws-cdk-lib')}")
    with tempfile.TemporaryDirectory() as folder:
        times = compare({"by hand": by_hand, **builds}, Path(folder))
    worst = report(times, "by hand")
    if arguments.beside:
        subprocess.run([arguments.beside, __file__], check=True)  # noqa: S603 - the caller's Python
    if not installed and worst > LIMIT:
        sys.exit(f"ours must take at most {LIMIT} x the time, took {worst:.2f} x")


if __name__ == "__main__":
    main()
