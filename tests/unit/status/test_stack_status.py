"""The status of a deployed stack: what is wrong, and the command that comes next."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from cdk_streams.errors import DeploymentError
from cdk_streams.status import stack_status
from tests.bench.fake_aws import BUCKET, FUNCTION, FakeAws

ALARM = {
    "LogicalResourceId": "Alarm",
    "PhysicalResourceId": "Shop-Alarm",
    "ResourceType": "AWS::CloudWatch::Alarm",
}


class Deployed(FakeAws):
    """The fake with CloudWatch beside it: `figures` by metric, the alarms that are in ALARM."""

    def __init__(self) -> None:
        super().__init__()
        self.deployed(AuditMapping="uuid-1")
        self.stack.append(ALARM)
        self.figures: dict[str, list[float]] = {}
        self.in_alarm: list[str] = []
        self.waiting = 0
        self.mapped = self.functions.mappings[FUNCTION]
        self.mapped["LastProcessingResult"] = "OK"

    def client(self, service: str) -> Any:
        if service == "cloudwatch":
            return SimpleNamespace(
                get_metric_statistics=self._statistics, describe_alarms=self._describe
            )
        if service == "sqs":
            return SimpleNamespace(
                get_queue_url=self.queue.get_queue_url, get_queue_attributes=self._attributes
            )
        return super().client(service)

    def _statistics(self, **request: Any) -> dict[str, Any]:
        assert request["EndTime"] - request["StartTime"] == timedelta(minutes=15)
        values = self.figures.get(request["MetricName"], [])
        return {"Datapoints": [{"Maximum": each} for each in values]}

    def _describe(self, **request: Any) -> dict[str, Any]:
        assert request == {"AlarmNames": ["Shop-Alarm"], "StateValue": "ALARM"}
        return {"MetricAlarms": [{"AlarmName": each} for each in self.in_alarm]}

    def _attributes(self, **request: Any) -> dict[str, Any]:
        return {"Attributes": {request["AttributeNames"][0]: str(self.waiting)}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed()
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["status", *words])


def test_a_stack_without_problems_ends_with_0(aws: Deployed) -> None:
    aws.figures["IteratorAge"] = [1500.0, 250.0]

    found = stack_status(aws.client, stack="Shop")

    (mapping,) = found.mappings
    assert found.is_healthy
    assert (mapping.state, mapping.last_result) == ("Enabled", "OK")
    assert (mapping.function, mapping.iterator_age) == ("audit", timedelta(seconds=1.5))
    assert mapping.queue is not None
    assert (mapping.queue.name, mapping.queue.waiting) == ("failed", 0)
    shown = run("Shop")
    assert shown.exit_code == 0
    assert shown.output.splitlines()[0] == "Shop: 0 of 1 consumers with problems"


@pytest.mark.parametrize(
    ("state", "problem", "command"),
    [
        ({"State": "Disabled"}, "is Disabled", "update-event-source-mapping --uuid uuid-1"),
        ({"LastProcessingResult": "PROBLEM: Function call failed"}, "call failed", "logs tail"),
    ],
)
def test_what_lambda_says_of_a_mapping_is_a_problem(
    aws: Deployed, state: dict[str, str], problem: str, command: str
) -> None:
    aws.mapped |= state
    shown = run("--stack", "Shop")
    assert shown.exit_code == 1
    assert problem in shown.output
    assert command in shown.output


def test_a_consumer_that_is_far_behind_is_a_problem(aws: Deployed) -> None:
    aws.figures["IteratorAge"] = [float(2 * 3600 * 1000)]
    (mapping,) = stack_status(aws.client, stack="Shop").mappings
    assert [each.text[:30] for each in mapping.problems] == ["The consumer is 2 h 0 min behi"]


def test_failure_records_that_wait_are_a_problem_with_their_redrive(aws: Deployed) -> None:
    aws.waiting = 3
    aws.figures["ApproximateAgeOfOldestMessage"] = [600.0]
    (mapping,) = stack_status(aws.client, stack="Shop").mappings
    (problem,) = mapping.problems
    assert problem.text == "3 failure records wait in failed, the oldest for 10 min."
    assert problem.command == "cdk-streams redrive --stack Shop --consumer AuditMapping"


def test_an_alarm_alone_is_wrong_too(aws: Deployed) -> None:
    aws.in_alarm = ["Shop-Alarm"]
    shown = run("Shop")
    assert shown.exit_code == 1
    assert "ALARM Shop-Alarm" in shown.output


def test_json_holds_the_same(aws: Deployed) -> None:
    aws.waiting = 1
    shown = run("Shop", "--json")
    found = json.loads(shown.stdout)
    assert shown.exit_code == 1
    assert not found["healthy"]
    (mapping,) = found["mappings"]
    assert mapping["queue"] == {"name": "failed", "waiting": 1, "oldest_s": None}
    assert mapping["iterator_age_s"] is None
    assert mapping["problems"][0]["text"] == "1 failure record waits in failed."


def test_those_with_problems_come_first(aws: Deployed) -> None:
    other = FUNCTION.replace("audit", "mail")
    aws.functions.mappings[other] = aws.mapping(other, "uuid-2") | {"State": "Disabled"}
    aws.deployed(AuditMapping="uuid-1", MailMapping="uuid-2")
    found = stack_status(aws.client, stack="Shop")
    assert [each.logical_id for each in found.mappings] == ["MailMapping", "AuditMapping"]


def test_a_bucket_has_no_queue(aws: Deployed) -> None:
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", f"arn:aws:s3:::{BUCKET}")
    (mapping,) = stack_status(aws.client, stack="Shop").mappings
    assert mapping.queue is None
    assert "no failure queue" in run("Shop").output


def test_what_is_not_deployed_is_one_line_and_2(aws: Deployed) -> None:
    with pytest.raises(DeploymentError, match="must be one of AuditMapping"):
        stack_status(aws.client, stack="Shop", consumer="Nobody")
    aws.stack = []
    refused = run("Shop")
    assert refused.exit_code == 2
    assert refused.output.startswith("Error: there is no stack Shop")
    assert run().exit_code == 2
    assert run("Shop", "--stack", "Shop").exit_code == 2
