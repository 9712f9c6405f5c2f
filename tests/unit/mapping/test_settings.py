"""The settings of a mapping: ranges, all faults together, template and API."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.errors import SettingsError, StreamsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.mapping._setting import Setting, declared_settings

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:failures"
FULL = MappingSettings(
    batch_size=10,
    max_batching_window=5,
    parallelization_factor=2,
    retry_attempts=3,
    max_record_age=timedelta(hours=6),
    bisect_batch_on_error=True,
    report_batch_item_failures=True,
    starting_position="LATEST",
    filters=[{"eventName": ["INSERT"]}],
    on_failure=QUEUE,
    enabled=False,
    filter_encryption_key="arn:aws:kms:eu-west-1:123456789012:key/k",
    metrics=["EventCount"],
    tags={"team": "orders"},
)
CDK_NUMBER_TOKEN = -1.8881545897087626e289


class CdkDuration:
    """Stands in for `aws_cdk.Duration`, which this layer must not import."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def to_seconds(self, *, integral: bool = True) -> float:
        if integral and self.seconds != int(self.seconds):
            raise RuntimeError("CannotConvertedIntoWhole")
        return self.seconds


def faults_of(**values: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        MappingSettings(**values)
    return caught.value.faults


def test_what_is_left_out_is_lambdas_own_default() -> None:
    settings = MappingSettings()
    assert (settings.batch_size, settings.retry_attempts, settings.max_record_age) == (
        100,
        -1,
        None,
    )
    assert not settings.bisect_batch_on_error
    assert not settings.report_batch_item_failures
    assert settings.to_template() == {"StartingPosition": "TRIM_HORIZON", "BatchSize": 100}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("batch_size", 1, 10_000),
        ("parallelization_factor", 1, 10),
        ("retry_attempts", -1, 10_000),
        ("max_batching_window", 0, 300),
        ("max_record_age", 60, 604_800),
        ("tumbling_window", 1, 900),
        ("filter_quota", 5, 10),
    ],
)
def test_a_range_takes_its_ends_and_nothing_beyond(name: str, low: int, high: int) -> None:
    for good in (low, high):
        MappingSettings(**{name: good})  # type: ignore[arg-type]  # one row a setting
    off = {"max_record_age": -1, "tumbling_window": 0}.get(name)
    for bad in (low - 1, high + 1):
        if bad == off:
            continue
        (fault,) = faults_of(**{name: bad})
        assert fault.startswith(f"{name} must be {low} to {high:,} ")
        assert fault.endswith(f"got {bad}")


@pytest.mark.parametrize("off", [None, -1])
def test_record_age_without_limit_is_none_or_minus_one(off: int | None) -> None:
    assert MappingSettings(max_record_age=off).max_record_age is None


@pytest.mark.parametrize("off", [None, 0, timedelta(0)])
def test_no_tumbling_window_is_none_or_zero(off: Any) -> None:
    assert MappingSettings(tumbling_window=off).tumbling_window is None


def test_retries_without_limit_are_none_or_minus_one() -> None:
    assert MappingSettings(retry_attempts=None) == MappingSettings(retry_attempts=-1)


@pytest.mark.parametrize("age", [3600, 3600.0, timedelta(hours=1), CdkDuration(3600)])
def test_a_duration_may_be_seconds_a_timedelta_or_cdks(age: Any) -> None:
    assert MappingSettings(max_record_age=age).max_record_age == timedelta(hours=1)


@pytest.mark.parametrize(
    "bad", [True, "100", 1.5, float("nan"), float("inf"), [], CdkDuration, CdkDuration(1.5)]
)
def test_a_duration_that_is_no_whole_number_of_seconds_is_refused(bad: Any) -> None:
    (fault,) = faults_of(max_batching_window=bad)
    assert fault.startswith("max_batching_window must be 0 to 300 whole seconds, got ")


@pytest.mark.parametrize("bad", [True, "100", 1.5, None, 2.0])
def test_a_count_that_is_no_whole_number_is_refused(bad: Any) -> None:
    assert faults_of(batch_size=bad) == (f"batch_size must be 1 to 10,000 records, got {bad!r}",)


def test_every_fault_is_reported_at_once() -> None:
    faults = faults_of(
        batch_size=20_000,
        max_record_age=59,
        starting_position="AT_TIMESTAMP",
        enabled=1,
        metrics=["ErrorCount"],
        on_failure=f"{QUEUE}.fifo",
    )
    assert len(faults) == 6
    assert faults[0] == "batch_size must be 1 to 10,000 records, got 20000"


def test_the_error_is_a_value_error_of_ours_with_one_line_a_fault() -> None:
    with pytest.raises(StreamsError) as caught:
        MappingSettings(batch_size=0, retry_attempts=-2)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("name", ["batch_size", "max_record_age", "retry_attempts"])
def test_a_cdk_token_is_named_as_one(name: str) -> None:
    (fault,) = faults_of(**{name: CDK_NUMBER_TOKEN})
    assert fault.endswith("got a CDK token (known only at deploy time); pass a plain value")


def test_at_timestamp_is_refused_because_a_dynamodb_stream_has_no_times() -> None:
    (fault,) = faults_of(starting_position="AT_TIMESTAMP")
    assert "cannot start at a time" in fault


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("kafka://topic", "must be the ARN of a queue, topic or bucket"),
        ("failures", "must be the ARN of a queue, topic or bucket"),
        (f"{QUEUE}.fifo", "must be a standard queue"),
        ("arn:aws:sns:eu-west-1:123456789012:t.fifo", "must be a standard topic"),
        ("arn:aws:s3:::" + "b" * 350, "at most 350 characters"),
        (7, "must be the ARN of a queue, topic or bucket, got 7"),
    ],
)
def test_a_destination_that_would_lose_records_is_refused(destination: Any, expected: str) -> None:
    (fault,) = faults_of(on_failure=destination)
    assert expected in fault


@pytest.mark.parametrize(
    "destination",
    [
        QUEUE,
        "arn:aws-cn:sns:cn-north-1:123456789012:t",
        "arn:aws:s3:::bucket",
        {"Fn::GetAtt": ["Queue", "Arn"]},
        "${Token[TOKEN.7]}",
    ],
)
def test_a_destination_may_be_an_arn_a_reference_or_a_cdk_token(destination: Any) -> None:
    assert MappingSettings(on_failure=destination).on_failure == destination


def test_a_tumbling_window_takes_neither_filters_nor_a_factor() -> None:
    faults = faults_of(
        tumbling_window=10, parallelization_factor=2, filters=['{"eventName":["INSERT"]}']
    )
    assert faults == (
        "parallelization_factor must be 1 with a tumbling_window, got 2; leave one of them out",
        "filters must be left out with a tumbling_window, got 1; test the records in the handler",
    )


def test_a_filter_key_without_filters_is_refused() -> None:
    (fault,) = faults_of(filter_encryption_key="arn:aws:kms:eu-west-1:123456789012:key/k")
    assert fault == "filter encryption must come with filters, got none; leave its key out"


def test_a_filter_may_be_text_a_dict_or_a_filter_value() -> None:
    class Inserts:
        text = '{"eventName":["INSERT"]}'

    settings = MappingSettings(filters=[Inserts(), Inserts.text, {"eventName": ["INSERT"]}])
    assert settings.filters == (Inserts.text,) * 3


def test_one_pattern_in_place_of_a_list_is_refused() -> None:
    (fault,) = faults_of(filters={"eventName": ["INSERT"]})
    assert fault == "filters must be a list of patterns, got one pattern; put it into a list"


def test_filters_are_five_unless_the_quota_was_raised() -> None:
    six = [f'{{"eventName":["E{n}"]}}' for n in range(6)]
    (fault,) = faults_of(filters=six)
    assert fault.startswith("filters must be at most 5 patterns, got 6;")
    assert len(MappingSettings(filters=six, filter_quota=6).filters) == 6


@pytest.mark.parametrize(
    ("pattern", "where"),
    [
        ("single-string", "filters[1]: "),
        ("{}", "filters[1]: "),
        ({"eventName": "INSERT"}, "filters[1], eventName: "),
        ("", "filters[1]: "),
    ],
)
def test_a_pattern_that_lambda_refuses_is_a_fault_that_says_which_and_where(
    pattern: Any, where: str
) -> None:
    (fault,) = faults_of(filters=['{"eventName":["INSERT"]}', pattern])
    assert fault.startswith(where)


def test_a_pattern_has_at_most_4096_characters() -> None:
    def pattern(length: int) -> str:
        return '{"a":["' + "x" * (length - 10) + '"]}'

    MappingSettings(filters=[pattern(4096)])
    (fault,) = faults_of(filters=[pattern(4097)])
    assert fault.startswith("filters[0] must have at most 4,096 characters, got 4,097;")


@pytest.mark.parametrize("settings", [MappingSettings(), FULL])
def test_a_template_gives_back_the_settings_it_was_made_from(settings: MappingSettings) -> None:
    assert MappingSettings.from_template(settings.to_template()) == settings


def test_a_template_holds_every_setting_under_its_property() -> None:
    assert FULL.to_template() == {
        "StartingPosition": "LATEST",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 5,
        "ParallelizationFactor": 2,
        "MaximumRetryAttempts": 3,
        "MaximumRecordAgeInSeconds": 21_600,
        "BisectBatchOnFunctionError": True,
        "Enabled": False,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
        "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k",
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "Tags": [{"Key": "team", "Value": "orders"}],
    }


def test_a_template_may_write_numbers_and_booleans_as_text() -> None:
    settings = MappingSettings.from_template(
        {
            "BatchSize": "7",
            "MaximumRetryAttempts": "-1",
            "BisectBatchOnFunctionError": "true",
            "Enabled": "False",
        }
    )
    assert settings == MappingSettings(batch_size=7, bisect_batch_on_error=True, enabled=False)


def test_a_property_that_cloudformation_does_not_know_is_a_fault() -> None:
    properties = {"FiltersCriteria": {}, "EventSourceArn": "arn", "FunctionName": "f", "Batch": 7}
    with pytest.raises(SettingsError) as caught:
        MappingSettings.from_template(properties)
    assert caught.value.faults == (
        "Batch is no property of AWS::Lambda::EventSourceMapping; did you mean BatchSize?",
        (
            "FiltersCriteria is no property of AWS::Lambda::EventSourceMapping; "
            "did you mean FilterCriteria?"
        ),
    )


def test_a_pattern_that_is_an_object_in_a_template_is_a_fault() -> None:
    properties = {"FilterCriteria": {"Filters": [{"Pattern": {"eventName": ["INSERT"]}}]}}
    with pytest.raises(SettingsError) as caught:
        MappingSettings.from_template(properties)
    assert caught.value.faults == (
        "FilterCriteria.Filters[0].Pattern must be text, got an object; write its JSON as text",
    )


@pytest.mark.parametrize("name", MappingSettings.__annotations__)
def test_every_setting_is_described(name: str) -> None:
    # Python 3.13 takes the indentation out of docstrings.
    assert re.search(rf"^ +{name}: ", str(MappingSettings.__doc__), re.MULTILINE)


@pytest.mark.parametrize(("name", "setting"), declared_settings(MappingSettings).items())
def test_a_setting_is_declared_once(name: str, setting: Setting[Any, Any]) -> None:
    full = FULL if name != "tumbling_window" else MappingSettings(tumbling_window=60)
    value = getattr(full, name)
    assert value != setting.default
    assert setting.prop in full.to_template()
    assert getattr(MappingSettings.from_template(full.to_template()), name) == value
    assert f"{name}=" in repr(full)


def test_a_template_with_a_property_of_another_source_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        MappingSettings.from_template({"ScalingConfig": {"MaximumConcurrency": 2}, "BatchSize": 0})
    assert caught.value.faults == (
        "ScalingConfig is for SQS, not for a DynamoDB stream; remove it",
        "batch_size must be 1 to 10,000 records, got 0",
    )


def test_a_reference_in_place_of_a_number_is_a_fault() -> None:
    with pytest.raises(SettingsError, match=r'got the reference \{"Ref": "Size"\};'):
        MappingSettings.from_template({"BatchSize": {"Ref": "Size"}})


def test_an_unknown_response_type_is_a_fault() -> None:
    with pytest.raises(SettingsError, match="FunctionResponseTypes must be"):
        MappingSettings.from_template({"FunctionResponseTypes": ["Report"]})


def test_a_template_with_more_filters_than_the_default_quota_is_believed() -> None:
    properties = {"FilterCriteria": {"Filters": [{"Pattern": '{"a":["b"]}'}] * 7}}
    assert len(MappingSettings.from_template(properties).filters) == 7


@pytest.mark.parametrize(
    ("state", "enabled"),
    [("Enabled", True), ("Creating", True), ("Disabled", False), ("Disabling", False)],
)
def test_an_answer_of_lambda_is_read_with_its_state(state: str, *, enabled: bool) -> None:
    settings = MappingSettings.from_api(
        {
            "UUID": "u",
            "State": state,
            "BatchSize": 100,
            "MaximumRetryAttempts": -1,
            "MaximumRecordAgeInSeconds": -1,
            "TumblingWindowInSeconds": 0,
            "DestinationConfig": {"OnFailure": {}},
            "FunctionResponseTypes": [],
        }
    )
    assert settings == MappingSettings(enabled=enabled)


def test_settings_are_values() -> None:
    assert hash(FULL) == hash(dataclasses.replace(FULL))
    assert dataclasses.replace(FULL, batch_size=11).batch_size == 11
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.batch_size = 1  # type: ignore[misc]  # the point of the test


def test_the_repr_shows_what_differs_from_lambdas_defaults() -> None:
    assert repr(MappingSettings(batch_size=4)) == "MappingSettings(batch_size=4)"


@pytest.mark.parametrize("name", ["filters", "metrics", "tags"])
def test_none_is_left_out(name: str) -> None:
    nothing: Any = {name: None}
    assert MappingSettings(**nothing) == MappingSettings()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"filters": 7}, "filters must be a list of patterns, got 7"),
        ({"metrics": "ErrorCount"}, "metrics must be EventCount, got ['ErrorCount']"),
        ({"tags": [("a",)]}, "tags must be pairs of texts, got ('a',); pass {'team': 'orders'}"),
        ({"tags": ["ab"]}, "tags must be pairs of texts, got 'ab'; pass"),
    ],
)
def test_a_list_that_is_none_is_a_fault(values: dict[str, Any], fault: str) -> None:
    (found,) = faults_of(**values)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"FilterCriteria": {"Ref": "X"}}, "FilterCriteria must be an object, got the reference"),
        (
            {"DestinationConfig": {"Fn::If": ["C", {}, {}]}},
            "DestinationConfig must be an object, got the reference",
        ),
        ({"FilterCriteria": {"Filters": {}}}, "Filters must be a list, got {}"),
        ({"FilterCriteria": {"Filters": [7]}}, "filters[0] must be JSON text, a dict or a Filter"),
        ({"DestinationConfig": "x"}, "DestinationConfig must be an object, got 'x'"),
        ({"MetricsConfig": "x"}, "MetricsConfig must be an object, got 'x'"),
        ({"Tags": {"a": "b"}}, "Tags must be a list, got {'a': 'b'}"),
        ({"Tags": [{"Key": "a"}]}, "tags must be pairs of texts, got ('a', None)"),
        ({"FunctionResponseTypes": "x"}, "FunctionResponseTypes must be a list, got 'x'"),
    ],
)
def test_a_part_of_the_wrong_kind_is_a_fault(properties: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        MappingSettings.from_template(properties)
    assert caught.value.faults[0].startswith(fault)


def test_a_tags_value_may_be_a_reference() -> None:
    tags = [{"Key": "stack", "Value": {"Ref": "AWS::StackName"}}]
    assert MappingSettings.from_template({"Tags": tags}).to_template()["Tags"] == tags


def test_an_answer_of_another_source_is_refused() -> None:
    with pytest.raises(SettingsError, match="ScalingConfig is for SQS"):
        MappingSettings.from_api({"State": "Enabled", "ScalingConfig": {"MaximumConcurrency": 2}})


def test_an_answer_without_its_encrypted_filters_is_refused() -> None:
    with pytest.raises(SettingsError, match="its filters are encrypted; ask GetEventSourceMapping"):
        MappingSettings.from_api({"State": "Enabled", "KMSKeyArn": "arn:aws:kms:eu-west-1:1:key/k"})


def test_settings_with_a_reference_can_be_kept_in_a_set() -> None:
    settings = MappingSettings(on_failure={"Ref": "Topic"})
    assert len({settings, MappingSettings(on_failure={"Ref": "Topic"})}) == 1
