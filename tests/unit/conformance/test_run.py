"""A run on fakes: what is asked, what is kept, and that the stack goes whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.errors import StreamsError
from cdk_streams.local import CdkCommand
from conformance import run
from conformance.observe import Deployed, Pace, Poller, observe
from conformance.question import Question
from conformance.questions import QUESTIONS
from conformance.recording import load
from conformance.simulated import simulated

BY_NAME = {each.name: each for each in QUESTIONS}
QUESTION = BY_NAME["single_record"]
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
DEPLOYED = Deployed("table", "function", "logs", "queue", "mapping")
OUTPUTS = {"SingleRecordHas": json.dumps(asdict(DEPLOYED))}


class Account:
    """An account in which the mapping did what the simulator does; it notes what it is asked."""

    def __init__(self, question: Question) -> None:
        (assumptions,) = question.assumptions().values()
        self.seen = simulated(question, assumptions).recording
        self.asked: list[str] = []
        self.shards, self.splits = 1, True
        self.counted = {
            ("FunctionName", "function", "Errors"): [1.0, 1.0],
            ("FunctionName", "function", "IteratorAge"): [40.0, 700.0],
            ("EventSourceMappingUUID", "mapping", "PolledEventCount"): [1.0],
        }
        self.receives = [[{"MessageId": "m", "Body": json.dumps(self.seen.failures[0])}], []]

    def client(self, _service: str) -> Any:
        return self

    def put_item(self, *, TableName: str, Item: Any) -> None:  # noqa: N803 - boto3's names
        self.asked.append(f"write {Item['ordinal']['N']} to {TableName}")

    def update_event_source_mapping(
        self,
        *,
        UUID: str,  # noqa: N803 - the same
        Enabled: bool | None = None,  # noqa: N803 - the same
        **settings: Any,
    ) -> None:
        switched = {None: f"{settings}", True: "on", False: "off"}[Enabled]
        self.asked.append(f"{UUID} {switched}")

    def update_table(self, *, TableName: str, WarmThroughput: Any) -> None:  # noqa: N803 - the same
        self.asked.append(f"warm {TableName} for {WarmThroughput['WriteUnitsPerSecond']}")

    def get_event_source_mapping(self, **_names: Any) -> dict[str, str]:
        on = self.asked[-1] == "mapping on"
        return {"State": "Enabled" if on else "Disabled"}

    def describe_table(self, **_names: Any) -> Any:
        return {"Table": {"LatestStreamArn": "arn"}}

    def describe_stream(self, **_names: Any) -> Any:
        self.shards += self.splits and self.asked[-1].startswith("warm")
        return {"StreamDescription": {"Shards": [{"ShardId": f"s{n}"} for n in range(self.shards)]}}

    def get_shard_iterator(self, **_names: Any) -> Any:
        return {"ShardIterator": "i"}

    def get_records(self, **_names: Any) -> Any:
        return {
            "Records": [
                {
                    "dynamodb": {
                        "SequenceNumber": number,
                        "NewImage": {"ordinal": {"N": str(place)}},
                        "ApproximateCreationDateTime": WRITTEN,
                    }
                }
                for number, place in self.seen.ordinals.items()
            ]
        }

    def get_metric_statistics(self, **asked: Any) -> Any:
        (statistic,) = asked["Statistics"]
        (dimension,) = asked["Dimensions"]
        # CloudWatch has no data points of what never happened.
        found = self.counted.get((dimension["Name"], dimension["Value"], asked["MetricName"]), [])
        return {"Datapoints": [{statistic: each} for each in found]}

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=self.pages)

    def pages(self, **_names: Any) -> Iterator[Any]:
        yield {"events": [{"message": "START RequestId: 1"}]}
        for place, call in enumerate(reversed(self.seen.calls), start=1):
            line = {
                "conformance_call": place,
                "request_id": call.request_id,
                "began_ms": call.began_ms,
                "ended_ms": call.ended_ms,
                "sequence_numbers": call.sequence_numbers,
                "shard_id": "",
                "window": None,
            }
            yield {"events": [{"message": f"[INFO] {json.dumps(line)}\n"}]}

    def receive_message(self, **_names: Any) -> Any:
        return {"Messages": self.receives.pop(0)}


def poller(account: Account) -> Poller:
    return Poller(account.client, "a fake", {"boto3": "1"})


def test_records_are_written_before_the_mapping_is_enabled() -> None:
    account = Account(QUESTION)
    recording = observe(QUESTION, DEPLOYED, poller(account), Pace(lambda _s: None, 0, 0.02))
    assert account.asked == ["write 1 to table", "mapping on", "mapping off"]
    assert recording.result(QUESTION.scenario) == QUESTION.scenario.expected
    assert recording.states == ("Disabled", "Enabled", "Disabled")
    assert recording.metrics == {"Errors": 2, "IteratorAge": 700, "PolledEventCount": 1}


def test_the_mapping_is_updated_while_it_runs() -> None:
    question = replace(BY_NAME["settings_update"], waits_s=0, quiet_s=0)
    assert question.update is not None
    question = replace(question, update=replace(question.update, after_s=0))
    account = Account(question)
    recording = observe(question, DEPLOYED, poller(account), Pace(lambda _s: None, 0, 0.05))
    assert account.asked == [
        "write 1 to table",
        "write 2 to table",
        "mapping on",
        "mapping {'MaximumRetryAttempts': 1}",
        "mapping off",
    ]
    assert "MaximumRetryAttempts" not in recording.settings


def test_a_record_is_written_before_the_split_and_one_behind_it() -> None:
    account = Account(BY_NAME["split_shard"])
    observe(BY_NAME["split_shard"], DEPLOYED, poller(account), Pace(lambda _s: None, 0, 0.0))
    assert account.asked[:5] == [
        "write 1 to table",
        "write 2 to table",
        "warm table for 8000",
        "write 3 to table",
        "write 4 to table",
    ]


def test_a_stream_that_does_not_split_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(BY_NAME["split_shard"])
    account.splits = False
    monkeypatch.setattr("conformance.observe.SPLIT_S", 0)
    with pytest.raises(StreamsError, match="must have more than 1 shards within 0 s"):
        observe(BY_NAME["split_shard"], DEPLOYED, poller(account), Pace(lambda _s: None, 0, 0.0))


def test_a_mapping_without_a_destination_has_no_failure_records() -> None:
    account = Account(QUESTION)
    without = replace(DEPLOYED, queue="")
    recording = observe(QUESTION, without, poller(account), Pace(lambda _s: None, 0, 0.0))
    assert recording.failures == ()


def test_a_scenario_that_fails_is_named_and_kept_out(tmp_path: Path) -> None:
    account = Account(QUESTION)
    del account.seen
    faults = run.record_all([QUESTION], OUTPUTS, poller(account), tmp_path, (0, 0, 0))
    (fault,) = faults
    assert fault.startswith("single_record was not recorded: ")
    assert list(tmp_path.iterdir()) == []


def test_each_scenario_is_kept_as_a_file(tmp_path: Path) -> None:
    assert run.record_all([QUESTION], OUTPUTS, poller(Account(QUESTION)), tmp_path, (0, 0, 0)) == []
    read = load(tmp_path / "single_record.json")
    assert (read.where, read.versions) == ("a fake", {"boto3": "1"})
    assert len(read.calls) == 2


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def synthesize(_cdk: CdkCommand, assembly: Path, *_more: str) -> Path:
        made.append("synthesize")
        return assembly

    def deploy(_cdk: CdkCommand, _assembly: Path) -> dict[str, dict[str, str]]:
        made.append("deploy")
        return {"CdkStreamsConformance": OUTPUTS}

    monkeypatch.setattr(run, "synthesize", synthesize)
    monkeypatch.setattr(run, "deploy", deploy)
    monkeypatch.setattr(run, "destroy", lambda _cdk, _assembly: made.append("destroy"))
    monkeypatch.setattr(run, "_ignore_signals", lambda: None)
    return made


Stack = Callable[[], AbstractContextManager[dict[str, str]]]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return lambda: run.stack(CdkCommand(tmp_path), [QUESTION])


@pytest.mark.parametrize("interruption", [SystemExit(143), KeyboardInterrupt(), ValueError("x")])
def test_the_stack_is_removed_after_an_interruption(
    interruption: BaseException, stack: Stack, commands: list[str]
) -> None:
    with pytest.raises(type(interruption)), stack():
        raise interruption
    assert commands == ["synthesize", "deploy", "destroy"]


def test_a_deployment_that_fails_is_removed_too(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, commands: list[str]
) -> None:
    def refused(_cdk: CdkCommand, _assembly: Path) -> None:
        raise SystemExit(130)

    monkeypatch.setattr(run, "deploy", refused)
    with pytest.raises(SystemExit), stack():
        pass
    assert commands == ["synthesize", "destroy"]


def test_a_removal_that_fails_says_how_to_finish_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commands: list[str]
) -> None:
    def refused(_cdk: CdkCommand, _assembly: Path) -> None:
        raise StreamsError("DELETE_FAILED")

    monkeypatch.setattr(run, "destroy", refused)
    variables = {"AWS_PROFILE": "my lab", "AWS_REGION": "eu-west-1"}
    wanted = (
        "aws cloudformation delete-stack --stack-name CdkStreamsConformance "
        "--profile 'my lab' --region eu-west-1"
    )
    with (
        pytest.raises(StreamsError, match=wanted),
        run.stack(CdkCommand(tmp_path, variables), [QUESTION]),
    ):
        commands.append("asked")
    assert commands == ["synthesize", "deploy", "asked"]


def test_a_stack_of_another_run_is_refused() -> None:
    left = SimpleNamespace(
        describe_stacks=lambda **_names: {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}
    )
    with pytest.raises(StreamsError, match=r"got one that is CREATE_COMPLETE.*--region eu-west-1"):
        run.refuse_leftovers(left, {"AWS_REGION": "eu-west-1"})


@pytest.mark.parametrize(
    ("message", "passes"), [("Stack with id X does not exist", True), ("not authorized", False)]
)
def test_only_a_stack_that_does_not_exist_lets_a_run_begin(message: str, *, passes: bool) -> None:
    def describe_stacks(**_names: Any) -> None:
        error: Any = {"Error": {"Code": "ValidationError", "Message": message}}
        raise ClientError(error, "DescribeStacks")

    client = SimpleNamespace(describe_stacks=describe_stacks)
    if passes:
        run.refuse_leftovers(client, {})
    else:
        with pytest.raises(ClientError, match=message):
            run.refuse_leftovers(client, {})


def test_a_profile_that_does_not_exist_is_a_sentence(commands: list[str]) -> None:
    said: list[str] = []
    arguments = ["--region", "eu-west-1", "--only", "partial", "--profile", "nobody", "--yes"]
    assert run.main(arguments, said.append) == 2
    assert said[-1] == "ProfileNotFound: The config profile (nobody) could not be found"
    assert commands == []


def test_without_yes_nothing_is_made(commands: list[str]) -> None:
    said: list[str] = []
    assert run.main(["--region", "eu-west-1", "--only", "partial"], said.append) == 0
    assert commands == []
    assert "1 scenarios" in said[0]
    assert "--yes" in said[1]
