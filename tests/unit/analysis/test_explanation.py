"""What `explain` says of a mapping, held against what the recorded rules make of it."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.analysis import (
    Explanation,
    Poison,
    explain,
    in_outage_at_rate,
    proposed,
    runnable_mappings,
)
from cdk_streams.analysis._situations import in_outage, with_poison, with_slow_handler
from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.template import read

DAY = timedelta(hours=24)
PLAIN: dict[str, Any] = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        },
        "Audit": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 30}},
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                "FunctionName": {"Ref": "Audit"},
                "StartingPosition": "LATEST",
            },
        },
    }
}
QUEUE = {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}}
ALARM: dict[str, Any] = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Audit"}}],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 3_600_000,
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
    },
}


def template(resources: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    made = copy.deepcopy(PLAIN)
    made["Resources"]["Mapping"]["Properties"].update(settings)
    made["Resources"].update(resources or {})
    return made


def explained(resources: dict[str, Any] | None = None, **settings: Any) -> Explanation:
    (found,), left_out = explain(read(template(resources, **settings)))
    assert left_out == {}
    return found


def poison(**settings: Any) -> Poison:
    return with_poison(runnable_mappings(read(template(**settings))).named(None))


@pytest.fixture(scope="module")
def defaults() -> Explanation:
    """Lambda's default settings, which run for a day, and an alarm on the age."""
    return explained({"Lag": ALARM})


def test_lambdas_defaults_block_a_shard_until_the_record_is_trimmed(defaults: Explanation) -> None:
    found = defaults
    assert found.poison.blocked == DAY
    assert found.poison.calls > 1_000
    assert (found.poison.discarded, found.poison.delivered, found.poison.lost) == (0, 0, 0)
    assert found.poison.trimmed == found.poison.records
    assert found.outage.discarded == 0
    assert found.outage.most_age >= timedelta(hours=1)


def test_bisect_and_retries_discard_the_poison_record_alone() -> None:
    found = poison(BisectBatchOnFunctionError=True, MaximumRetryAttempts=2, DestinationConfig=QUEUE)
    assert (found.discarded, found.delivered, found.lost) == (1, 1, 0)
    assert found.blocked < timedelta(minutes=1)
    assert found.readable is not None
    assert DAY - timedelta(minutes=1) < found.readable < DAY


def test_without_bisect_the_whole_batch_is_discarded() -> None:
    found = poison(MaximumRetryAttempts=2, BatchSize=10)
    assert (found.discarded, found.delivered, found.lost) == (10, 0, 1)


def test_few_retries_discard_most_of_what_is_written_in_an_outage() -> None:
    length = timedelta(minutes=10)
    few, many = (
        in_outage(
            runnable_mappings(read(template(MaximumRetryAttempts=retries))).named(None), length
        )
        for retries in (0, 100)
    )
    assert few.discarded >= few.written - 1
    assert many.discarded == 0
    assert many.written == few.written == 600


@pytest.mark.parametrize(
    "settings",
    [
        {"MaximumRetryAttempts": 0},
        {"MaximumRetryAttempts": 3},
        {"MaximumRetryAttempts": 5, "BisectBatchOnFunctionError": True, "BatchSize": 10},
        {"MaximumRetryAttempts": 20, "MaximumRecordAgeInSeconds": 120},
        {},
    ],
    ids=str,
)
def test_an_outage_worked_out_from_counts_is_that_of_the_simulator(settings: Any) -> None:
    length = timedelta(minutes=10)
    mapping = runnable_mappings(read(template(**settings))).named(None)
    one_by_one = in_outage(mapping, length)
    counted = in_outage_at_rate(mapping, 1, length)
    gone = counted.discarded + counted.age_exceeded
    assert gone == pytest.approx(one_by_one.discarded + one_by_one.trimmed, rel=0.05, abs=2)
    ages = counted.most_age.total_seconds(), one_by_one.most_age.total_seconds()
    assert ages[0] == pytest.approx(ages[1], rel=0.05, abs=3)


def test_a_day_of_a_thousand_writes_a_second_is_worked_out() -> None:
    mapping = runnable_mappings(read(template(MaximumRetryAttempts=3))).named(None)
    found = in_outage_at_rate(mapping, 1_000, timedelta(hours=1))
    assert (found.written, found.shards) == (86_400_000, 1)
    assert 0 < found.discarded < 3_600_000
    assert found.caught_up is not None


def test_filters_latest_and_a_disabled_mapping_do_not_hide_what_would_happen() -> None:
    pattern = {"Filters": [{"Pattern": '{"eventName": ["REMOVE"]}'}]}
    assert poison(FilterCriteria=pattern, Enabled=False, MaximumRetryAttempts=1).lost == 1


def test_a_tumbling_window_fails_for_its_poison_record_alone() -> None:
    found = poison(
        TumblingWindowInSeconds=60,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
    )
    assert found.discarded == 1


def test_a_handler_as_slow_as_the_timeout_fails_every_batch() -> None:
    settings: dict[str, Any] = {"BatchSize": 200, "ParallelizationFactor": 2}
    mapping = runnable_mappings(read(template(**settings))).named(None)
    assert with_slow_handler(mapping, timedelta(seconds=30)).times_out
    found = with_slow_handler(mapping, timedelta(seconds=10))
    assert (found.times_out, found.per_second) == (False, 40.0)


def test_an_alarm_goes_off_when_enough_periods_breach(defaults: Explanation) -> None:
    (lag,) = defaults.alarms
    assert lag.alarm.logical_id == "Lag"
    # An hour of age, then three periods of a minute each.
    assert lag.poison is not None
    assert timedelta(minutes=62) <= lag.poison <= timedelta(minutes=64)
    assert lag.alarm.goes_off(poison(MaximumRetryAttempts=1).timeline) is None


def test_an_alarm_on_the_queue_goes_off_after_the_failure_record() -> None:
    depth = copy.deepcopy(ALARM)
    depth["Properties"] |= {
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Failed", "QueueName"]}}],
        "Threshold": 1,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
    }
    (found,) = explained({"Depth": depth}, MaximumRetryAttempts=1, DestinationConfig=QUEUE).alarms
    assert found.poison is not None
    assert found.poison <= timedelta(minutes=1)


def test_an_alarm_that_only_a_deployment_knows_is_left_out() -> None:
    unknown = copy.deepcopy(ALARM)
    unknown["Properties"]["Threshold"] = {"Fn::ImportValue": "Threshold"}
    assert explained({"Lag": unknown}, MaximumRetryAttempts=1).alarms == []


def test_a_mapping_that_cannot_be_run_is_named_with_the_reason() -> None:
    found, left_out = explain(read(template(BatchSize=20_000)))
    assert found == ()
    assert "batch_size must be 1 to 10,000 records" in left_out["Mapping"]
    with pytest.raises(
        SourceError,
        match="has no event source mapping that can be run: Mapping: batch_size must be",
    ):
        runnable_mappings(read(template(BatchSize=20_000))).named(None)


def test_a_setting_is_proposed_by_either_of_its_names() -> None:
    mapping = runnable_mappings(read(PLAIN)).named("Map")
    assert proposed(mapping, {"batch_size": 500}) == proposed(mapping, {"BatchSize": 500})
    with pytest.raises(SettingsError, match=r"a setting must be one of batch_size, .*, got size"):
        proposed(mapping, {"size": 500})
    with pytest.raises(SettingsError, match="batch_size must be 1 to 10,000"):
        proposed(mapping, {"batch_size": 0})
