"""Facts from properties as templates write them: CDK's, SAM's or a person's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.checks import Consumer, _resource_facts, check
from cdk_streams.mapping import DESTINATION_KINDS

QUEUE, TOPIC, BUCKET = DESTINATION_KINDS
ARN = {"Fn::GetAtt": ["Orders", "Arn"]}
TLS = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
PARAMETER = {"Ref": "Size"}


def allow(action: Any, resource: Any = None) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource or ARN}


@pytest.mark.parametrize(
    "statement",
    [
        allow("dynamodb:PutItem"),
        allow(["s3:GetObject", "dynamodb:UpdateItem"]),
        allow("dynamodb:*"),
        allow("dynamodb:Batch*"),
        allow("*"),
        allow("DynamoDB:deleteitem"),
        allow("dynamodb:PartiQLInsert"),
        allow("dynamodb:PutItem", "*"),
        allow("dynamodb:PutItem", [{"Fn::GetAtt": ["Other", "Arn"]}, ARN]),
    ],
)
def test_a_statement_that_lets_items_be_written(statement: dict[str, Any]) -> None:
    assert _resource_facts.may_write([allow("logs:*"), statement], ARN)


@pytest.mark.parametrize(
    "statement",
    [
        allow("dynamodb:GetItem"),
        allow(["dynamodb:GetRecords", "dynamodb:ListStreams"]),
        allow("dynamodb:PutItem", {"Fn::GetAtt": ["Other", "Arn"]}),
        {**allow("dynamodb:PutItem"), "Effect": "Deny"},
        {"Effect": "Allow", "NotAction": "dynamodb:PutItem", "Resource": ARN},
    ],
)
def test_a_statement_that_does_not(statement: dict[str, Any]) -> None:
    assert not _resource_facts.may_write([statement], ARN)


def test_lambda_s_defaults_stand_where_a_function_says_nothing() -> None:
    found = _resource_facts.function("F", {})
    assert (found.timeout, found.memory_mb) == (timedelta(seconds=3), 128)
    assert (found.reserved_concurrency, found.has_async_dead_letter) == (None, False)


def test_what_a_parameter_decides_is_unknown() -> None:
    function = _resource_facts.function("F", {"Timeout": PARAMETER, "MemorySize": PARAMETER})
    assert (function.timeout, function.memory_mb) == (None, None)
    queue = _resource_facts.destination(
        QUEUE, {"MessageRetentionPeriod": PARAMETER, "FifoQueue": PARAMETER}, []
    )
    assert (queue.retention, queue.is_fifo) == (None, None)
    table = _resource_facts.table("T", {"StreamSpecification": {"StreamViewType": PARAMETER}})
    assert (table.has_stream, table.view_type) == (True, None)


def test_numbers_and_truths_may_be_text() -> None:
    assert _resource_facts.function("F", {"Timeout": "60"}).timeout == timedelta(minutes=1)
    queue = _resource_facts.destination(
        QUEUE, {"MessageRetentionPeriod": "60", "FifoQueue": "true"}, []
    )
    assert (queue.retention, queue.is_fifo) == (timedelta(minutes=1), True)


def test_a_global_table_lists_its_own_region_too() -> None:
    stream = {"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}
    assert _resource_facts.table("T", {**stream, "Replicas": [{}, {}]}).replicas == 1
    assert _resource_facts.table("T", stream).replicas is None
    assert _resource_facts.table("T", {}).has_stream is False


@pytest.mark.parametrize(
    ("given", "encrypted"),
    [
        ({}, True),
        ({"SqsManagedSseEnabled": True}, True),
        ({"SqsManagedSseEnabled": "false"}, False),
        ({"SqsManagedSseEnabled": False, "KmsMasterKeyId": PARAMETER}, True),
    ],
)
def test_sqs_encrypts_a_queue_unless_told_not_to(given: dict[str, Any], *, encrypted: bool) -> None:
    assert _resource_facts.destination(QUEUE, given, []).is_encrypted is encrypted


def test_sns_encrypts_no_topic_unless_told_to() -> None:
    assert _resource_facts.destination(TOPIC, {}, []).is_encrypted is False
    assert (
        _resource_facts.destination(TOPIC, {"KmsMasterKeyId": PARAMETER}, []).is_encrypted is True
    )


@pytest.mark.parametrize(
    ("statement", "only"),
    [
        (TLS, True),
        ({**TLS, "Condition": {"Bool": {"aws:SecureTransport": False}}}, True),
        ({**TLS, "Effect": "Allow"}, False),
        ({**TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_tls_is_required_by_denying_all_else(statement: dict[str, Any], *, only: bool) -> None:
    assert _resource_facts.destination(QUEUE, {}, [statement]).is_tls_only is only
    assert _resource_facts.destination(TOPIC, {}, [statement]).is_tls_only is only
    assert _resource_facts.destination(BUCKET, {}, [statement]).is_tls_only is only


def test_a_setting_that_only_the_deployment_knows_breaks_no_rule() -> None:
    names = (
        *("StartingPosition", "Enabled", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"),
        *("BisectBatchOnFunctionError", "FunctionResponseTypes", "BatchSize"),
    )
    given = dict.fromkeys(names, PARAMETER)
    found, faults = _resource_facts.settings(
        {**given, "DestinationConfig": {"OnFailure": {"Destination": PARAMETER}}}
    )
    assert faults == ()
    assert check([Consumer(name="Audit", settings=found)]) == []


def test_what_lambda_refuses_is_told() -> None:
    found, faults = _resource_facts.settings(
        {"BatchSize": 20_000, "MaximumRetryAttempts": PARAMETER}
    )
    assert found is None
    assert faults == ("batch_size must be 1 to 10,000 records, got 20000",)
