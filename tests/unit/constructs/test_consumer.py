from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from syrupy.assertion import SnapshotAssertion

from cdk_streams import (
    Filter,
    FilterError,
    MappingSettings,
    NewImage,
    SettingsError,
    SourceError,
    StreamConsumer,
    StreamFunction,
    StreamTable,
)
from cdk_streams.mapping import presets

KEY = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
MAPPING = "AWS::Lambda::EventSourceMapping"
Resources = Callable[..., dict[str, Any]]


@pytest.fixture
def table(stack: cdk.Stack) -> StreamTable:
    return StreamTable(stack, "Orders", partition_key=KEY)


@pytest.fixture
def function(stack: cdk.Stack, handler_file: Path) -> StreamFunction:
    return StreamFunction(stack, "AuditFunction", entry=handler_file)


@pytest.fixture
def consume(table: StreamTable, function: StreamFunction) -> Callable[..., StreamConsumer]:
    """Make a consumer with these settings."""

    def make(**settings: Any) -> StreamConsumer:
        options = {"table": table, "function": function, **settings}
        return StreamConsumer(table.stack, "Audit", **options)

    return make


Consume = Callable[..., StreamConsumer]


def mapping_of(stack: cdk.Stack, resources_of: Resources) -> dict[str, Any]:
    (body,) = resources_of(stack, MAPPING).values()
    properties: dict[str, Any] = body["Properties"]
    return properties


def test_a_minimal_consumer(
    consume: Consume,
    stack: cdk.Stack,
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
) -> None:
    consume()
    assert resources_of(stack) == template_snapshot


def test_the_defaults_are_safe(consume: Consume, stack: cdk.Stack, resources_of: Resources) -> None:
    consumer = consume()
    shown = mapping_of(stack, resources_of)
    assert {
        name: shown[name] for name in shown if name not in {"EventSourceArn", "FunctionName"}
    } == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {
            "OnFailure": {"Destination": stack.resolve(consumer.failure_queue.queue_arn)}
        },
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRecordAgeInSeconds": 18 * 3600,
        "MaximumRetryAttempts": 11,
        "StartingPosition": "TRIM_HORIZON",
    }


def test_the_template_says_what_the_settings_say(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consumer = consume(
        batch_size=7,
        max_batching_window=cdk.Duration.seconds(3),
        parallelization_factor=2,
        retry_attempts=0,
        max_record_age=timedelta(minutes=5),
        bisect_batch_on_error=False,
        report_batch_item_failures=False,
        starting_position=lambda_.StartingPosition.LATEST,
        filters=['{"eventName":["INSERT"]}', {"eventName": ["REMOVE"]}],
        metrics=["EventCount"],
        enabled=False,
        tags={"team": "orders"},
    )
    properties = mapping_of(stack, resources_of)
    assert properties.pop("EventSourceArn") == {"Fn::GetAtt": ["OrdersA9B65338", "StreamArn"]}
    assert properties.pop("FunctionName") == {"Fn::GetAtt": ["AuditFunctionE377F5C8", "Arn"]}
    assert properties == stack.resolve(consumer.settings.to_template())
    assert MappingSettings.from_template(properties) == MappingSettings(
        batch_size=7,
        max_batching_window=3,
        parallelization_factor=2,
        retry_attempts=0,
        max_record_age=300,
        starting_position="LATEST",
        filters=['{"eventName":["INSERT"]}', '{"eventName":["REMOVE"]}'],
        metrics=["EventCount"],
        enabled=False,
        tags={"team": "orders"},
        on_failure={"Fn::GetAtt": ["AuditFailureQueue4331F1CA", "Arn"]},
    )


def test_a_tumbling_window_reaches_the_template(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume(tumbling_window=cdk.Duration.minutes(2))
    assert mapping_of(stack, resources_of)["TumblingWindowInSeconds"] == 120


def test_it_takes_every_setting() -> None:
    ours = {*inspect.signature(StreamConsumer.__init__).parameters}
    settings = {*inspect.signature(MappingSettings.__init__).parameters}
    # CDK gives a key as an object, under its own name for it.
    assert settings - ours == {"filter_encryption_key"}


def test_without_retries_limited_lambda_retries_until_records_expire(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume(retry_attempts=None, max_record_age=None)
    shown = mapping_of(stack, resources_of)
    assert "MaximumRetryAttempts" not in shown
    assert "MaximumRecordAgeInSeconds" not in shown


def test_the_failure_queue_is_encrypted_reached_by_tls_and_kept_two_weeks(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume()
    (queue,) = resources_of(stack, "AWS::SQS::Queue").values()
    assert queue["Properties"] == {
        "MessageRetentionPeriod": 1_209_600,
        "SqsManagedSseEnabled": True,
    }
    (policy,) = resources_of(stack, "AWS::SQS::QueuePolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_a_queue_of_the_caller_is_used_as_it_is(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    own = sqs.Queue(stack, "Own")
    consumer = consume(on_failure=own)
    assert consumer.failure_queue is own
    assert list(resources_of(stack, "AWS::SQS::Queue")) == [stack.get_logical_id(_cfn(own))]
    destination = mapping_of(stack, resources_of)["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == stack.resolve(own.queue_arn)


def _cfn(construct: Any) -> Any:
    return construct.node.default_child


def test_a_parameter_of_the_stack_can_switch_the_mapping(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    switch = cdk.CfnParameter(
        stack, "Polls", type="String", default="true", allowed_values=["true", "false"]
    )
    assert consume(enabled=switch).settings.enabled is True
    assert mapping_of(stack, resources_of)["Enabled"] == {"Ref": "Polls"}


def test_a_switch_that_is_none_is_refused(consume: Consume) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(enabled="true")
    assert str(caught.value) == "enabled must be True or False, got 'true'"


def test_the_name_of_a_table_is_no_table(consume: Consume) -> None:
    with pytest.raises(SourceError) as caught:
        consume(table="orders")
    assert str(caught.value) == (
        "table must be a Table, a TableV2 or an import, got str; "
        "find it by name with StreamTable.look_up"
    )


def test_the_name_of_a_function_is_no_function(consume: Consume) -> None:
    with pytest.raises(SourceError) as caught:
        consume(function="audit")
    assert str(caught.value) == (
        "function must be a Function, an Alias or an import, got the text 'audit'; "
        "import it with aws_lambda.Function.from_function_attributes"
    )


def test_lambda_may_decrypt_the_filters_of_functions_of_this_account_alone(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    key = kms.Key(stack, "Key")
    consume(filters=[Filter.insert()], filter_encryption=key)
    assert mapping_of(stack, resources_of)["KmsKeyArn"] == stack.resolve(key.key_arn)
    (body,) = resources_of(stack, "AWS::KMS::Key").values()
    assert body["Properties"]["KeyPolicy"]["Statement"][-1] == {
        "Action": "kms:Decrypt",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:lambda:FunctionArn": stack.resolve(
                    f"arn:{cdk.Aws.PARTITION}:lambda:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:function:*"
                )
            }
        },
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Resource": "*",
    }


def test_filters_are_values_or_raw_patterns(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume(filters=[Filter.insert(NewImage("status").eq("PAID")), {"eventName": ["REMOVE"]}])
    assert mapping_of(stack, resources_of)["FilterCriteria"] == {
        "Filters": [
            {"Pattern": Filter.insert(NewImage("status").eq("PAID")).text},
            {"Pattern": '{"eventName":["REMOVE"]}'},
        ]
    }


def test_a_filter_on_an_image_that_the_stream_lacks_is_refused(
    stack: cdk.Stack, function: StreamFunction
) -> None:
    table = StreamTable(
        stack,
        "Keys",
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        stream_view_type=dynamodb.StreamViewType.KEYS_ONLY,
    )
    with pytest.raises(FilterError, match="this stream carries KEYS_ONLY records, which have no"):
        StreamConsumer(
            stack,
            "Audit",
            table=table,
            function=function,
            filters=[Filter.insert(NewImage("status").eq("PAID"))],
        )


@pytest.mark.parametrize("name", ["SAFE", "STRICT_ORDER", "THROUGHPUT", "LOW_LATENCY"])
def test_a_preset_says_the_same_to_a_consumer_and_to_the_simulator(
    consume: Consume, name: str
) -> None:
    preset = getattr(presets, name)
    deployed = consume(**preset).settings
    assert replace(deployed, on_failure=None) == MappingSettings(**preset)


def test_a_consumer_is_safe_unless_told_otherwise(consume: Consume) -> None:
    assert replace(consume().settings, on_failure=None) == MappingSettings(**presets.SAFE)


def test_the_mapping_waits_for_the_rights_it_needs(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume()
    (body,) = resources_of(stack, MAPPING).values()
    assert body["DependsOn"] == list(resources_of(stack, "AWS::IAM::Policy"))


def test_the_runtime_is_told_that_its_partial_answers_are_read(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume()
    (function,) = resources_of(stack, "AWS::Lambda::Function").values()
    assert function["Properties"]["Environment"] == {"Variables": {"STREAM_PARTIAL_RESPONSE": "1"}}


def test_the_runtime_is_not_told_so_when_they_are_not(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume(report_batch_item_failures=False)
    (function,) = resources_of(stack, "AWS::Lambda::Function").values()
    assert "Environment" not in function["Properties"]


def test_an_alias_is_mapped_and_its_function_told(
    consume: Consume, function: StreamFunction, stack: cdk.Stack, resources_of: Resources
) -> None:
    alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
    consume(function=alias)
    assert mapping_of(stack, resources_of)["FunctionName"] == stack.resolve(alias.function_arn)
    (body,) = resources_of(stack, "AWS::Lambda::Function").values()
    assert body["Properties"]["Environment"]["Variables"] == {"STREAM_PARTIAL_RESPONSE": "1"}


def test_one_function_can_consume_one_table_twice_through_an_alias(
    table: StreamTable, function: StreamFunction, resources_of: Resources
) -> None:
    stack = table.stack
    alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
    for name, target in (("New", function), ("Gone", alias)):
        StreamConsumer(stack, name, table=table, function=target)
    assert len(resources_of(stack, MAPPING)) == 2


def test_without_an_alias_it_is_refused_as_lambda_would(
    consume: Consume, table: StreamTable, function: StreamFunction
) -> None:
    first = consume()
    with pytest.raises(SourceError) as caught:
        StreamConsumer(table.stack, "Again", table=table, function=function)
    assert str(caught.value) == (
        f"function must read a stream once, got 'Test/AuditFunction', which {first.node.path!r} "
        "has for the same stream; remove one of the two, or give one an alias: "
        "aws_lambda.Alias(..., version=function.current_version)"
    )


def test_a_consumer_that_failed_to_be_built_does_not_block_the_next_one(
    consume: Consume, table: StreamTable, function: StreamFunction
) -> None:
    cdk.CfnOutput(table.stack, "Taken", value="taken")
    with pytest.raises(RuntimeError, match="already a Construct with name 'Taken'"):
        StreamConsumer(
            table.stack, "Taken", table=table, function=function, report_batch_item_failures=False
        )
    assert consume().function is function


def test_a_property_of_the_settings_is_never_dropped(
    consume: Consume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A property that only `to_template` knows is an error, or it would be lost silently."""
    render = MappingSettings.to_template
    monkeypatch.setattr(
        MappingSettings, "to_template", lambda settings: render(settings) | {"NewOfLambda": 1}
    )
    with pytest.raises(TypeError, match="new_of_lambda"):
        consume()


def test_one_function_can_consume_two_tables(
    consume: Consume, function: StreamFunction, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume()
    other = StreamTable(stack, "Other", partition_key=KEY)
    StreamConsumer(stack, "Second", table=other, function=function)
    assert len(resources_of(stack, MAPPING)) == 2


@pytest.mark.parametrize("filters", ['{"eventName":["INSERT"]}', {"a": ["b"]}, Filter.insert()])
def test_one_pattern_that_is_no_list_is_refused(consume: Consume, filters: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(filters=filters)
    assert str(caught.value) == (
        "filters must be a list of patterns, got one pattern; put it into a list"
    )


def test_a_filter_of_cdk_s_own_is_taken(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    rule = lambda_.FilterRule.is_equal("INSERT")
    consume(filters=[lambda_.FilterCriteria.filter({"eventName": rule})])
    assert mapping_of(stack, resources_of)["FilterCriteria"] == {
        "Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]
    }


def test_consumers_of_one_function_must_agree_on_partial_answers(
    consume: Consume, table: StreamTable, function: StreamFunction
) -> None:
    consume()
    other = StreamTable(table.stack, "Customers", partition_key=KEY)
    with pytest.raises(SourceError) as caught:
        StreamConsumer(
            table.stack, "Other", table=other, function=function, report_batch_item_failures=False
        )
    assert str(caught.value) == (
        "report_batch_item_failures must be the same in every consumer of one function, "
        "got both for 'Test/AuditFunction'; where it is off, Lambda would take a partial answer "
        "for success"
    )


def test_all_faults_of_the_settings_are_told_at_once(consume: Consume, stack: cdk.Stack) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(batch_size=20_000, parallelization_factor=0)
    assert caught.value.faults == (
        "batch_size must be 1 to 10,000 records, got 20000",
        "parallelization_factor must be 1 to 10 batches of a shard at once, got 0",
    )
    assert stack.node.try_find_child("Audit") is None


def test_a_number_known_only_at_deploy_time_is_refused(consume: Consume, stack: cdk.Stack) -> None:
    size: Any = cdk.CfnParameter(stack, "Size", type="Number").value_as_number
    with pytest.raises(SettingsError) as caught:
        consume(batch_size=size)
    assert str(caught.value) == (
        "batch_size must be 1 to 10,000 records, got a CDK token (known only at deploy time); "
        "pass a plain value"
    )


def test_a_duration_known_only_at_deploy_time_is_refused(
    consume: Consume, stack: cdk.Stack
) -> None:
    seconds = cdk.CfnParameter(stack, "Age", type="Number").value_as_number
    with pytest.raises(SettingsError, match=r"^max_record_age must be .* got a CDK token "):
        consume(max_record_age=cdk.Duration.seconds(seconds))


def test_a_fraction_of_a_second_is_refused_in_our_words(consume: Consume) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(max_batching_window=cdk.Duration.millis(1500))
    assert str(caught.value) == "max_batching_window must be 0 to 300 whole seconds, got 1.5"


def test_a_filter_key_s_arn_is_no_key(consume: Consume, stack: cdk.Stack) -> None:
    arn: Any = "arn:aws:kms:eu-west-1:111122223333:key/k"
    with pytest.raises(SourceError) as caught:
        consume(filters=[{"eventName": ["INSERT"]}], filter_encryption=arn)
    assert str(caught.value) == (
        "filter_encryption must be a KMS Key construct, got str; "
        "import it with aws_kms.Key.from_key_arn"
    )
    assert stack.node.try_find_child("Audit") is None


@pytest.mark.parametrize("wrong", [True, ["errors"]])
def test_alarms_that_are_no_choice_of_alarms_are_refused(
    consume: Consume, stack: cdk.Stack, wrong: Any
) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(alarms=wrong)
    assert str(caught.value) == (
        f"alarms must be an Alarms or None, got {wrong!r}; pass None for no alarms, "
        "Alarms(errors=True), or Alarms.every() for all that apply"
    )
    assert stack.node.try_find_child("Audit") is None


def test_everything_is_exposed(consume: Consume, table: StreamTable) -> None:
    consumer = consume()
    assert consumer.table is table
    assert isinstance(consumer.function, StreamFunction)
    assert isinstance(consumer.failure_queue, sqs.Queue)
    assert isinstance(consumer.event_source_mapping, lambda_.CfnEventSourceMapping)
    assert set(consumer.alarms) == {"IteratorAgeAlarm", "FailureQueueAlarm"}
    assert consumer.settings.batch_size == 100
    metric = consumer.metric_iterator_age()
    assert (metric.namespace, metric.metric_name) == ("AWS/Lambda", "IteratorAge")


def test_logical_ids_are_a_contract(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume()
    assert sorted(resources_of(stack)) == [
        "AuditFailureQueue4331F1CA",
        "AuditFailureQueueAlarm737DC9D3",
        "AuditFailureQueuePolicy7D154EBE",
        "AuditFunctionE377F5C8",
        "AuditFunctionLogGroupA798C3E4",
        "AuditFunctionServiceRoleC0166609",
        "AuditFunctionServiceRoleDefaultPolicy2492CA8F",
        "AuditIteratorAgeAlarmFBC2CB09",
        "AuditMapping37B6EA89",
        "OrdersA9B65338",
    ]
