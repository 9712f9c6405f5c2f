"""Tables, functions and destinations, and what must not disturb them."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.errors import StreamsError
from cdk_streams.mapping import TableStream
from cdk_streams.template import Unknown, known, read, settings_of

Make = Callable[..., dict[str, Any]]


def test_a_table_brings_its_keys_view_type_and_time_to_live(template: Make) -> None:
    made = template()
    made["Resources"]["Orders"]["Properties"] |= {
        "TableName": {"Fn::Sub": "orders-${Stage}"},
        "KeySchema": [
            {"AttributeName": "sk", "KeyType": "RANGE"},
            {"AttributeName": "pk", "KeyType": "HASH"},
        ],
        "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": "true"},
        "Replicas": [{"Region": "us-east-1"}, {"Region": "eu-west-1"}],
    }
    orders = read(made, region="eu-west-1", account="111122223333").tables["Orders"]
    assert orders.place == "Resources.Orders"
    assert orders.stream == TableStream(
        "orders-dev", ("pk", "sk"), "NEW_IMAGE", region="eu-west-1", account="111122223333"
    )
    assert (orders.ttl, orders.replicas) == ("until", 1)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"KeySchema": None}, "Orders.KeySchema must name a partition key as {Attri"),
        ({"KeySchema": {"Ref": "NoDefault"}}, "Orders.KeySchema: the parameter 'NoDefault'"),
        (
            {"StreamSpecification": {"StreamViewType": "ALL"}},
            "Orders.StreamSpecification.StreamViewType must be one of KEYS_ONLY, NEW_IMAGE, ",
        ),
    ],
)
def test_a_stream_that_cannot_be_read_says_why(template: Make, changed: Any, why: str) -> None:
    made = template()
    made["Resources"]["Orders"]["Properties"] |= changed
    stream = read(made).tables["Orders"].stream
    assert isinstance(stream, Unknown)
    assert stream.why.startswith(why)


def test_a_name_that_only_a_deployment_knows_is_the_logical_id(template: Make) -> None:
    made = template()
    for name, prop in (("Orders", "TableName"), ("Audit", "FunctionName")):
        made["Resources"][name]["Properties"][prop] = {"Fn::ImportValue": "name"}
    stack = read(made)
    assert (stack.tables["Orders"].name, stack.functions["Audit"].name) == ("Orders", "Audit")
    assert stack.mappings["Mapping"].table == "Orders"


def test_sam_globals_reach_sam_functions_only(template: Make) -> None:
    made = template()
    made["Globals"] = {
        "Function": {
            "Timeout": 9,
            "MemorySize": 512,
            "Environment": {"Variables": {"SHARED": True, "BOTH": "shared"}},
        }
    }
    own = {"MemorySize": 256, "Environment": {"Variables": {"BOTH": "own"}}}
    made["Resources"]["Sam"] = {"Type": "AWS::Serverless::Function", "Properties": own}
    functions = read(made).functions
    assert (functions["Audit"].timeout_s, functions["Audit"].environment) == (3, {})
    assert (functions["Sam"].timeout_s, functions["Sam"].memory_mb) == (9, 256)
    assert functions["Sam"].environment == {"SHARED": "true", "BOTH": "own"}


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"Timeout": 901}, "Audit.Timeout must be 1 to 900, got 901"),
        ({"Timeout": "soon"}, "Audit.Timeout must be 1 to 900, got 'soon'"),
        ({"Timeout": {"Fn::ImportValue": "t"}}, "Audit.Timeout: Fn::ImportValue has no answer"),
    ],
)
def test_a_timeout_that_lambda_refuses_or_nobody_knows(
    template: Make, properties: Any, why: str
) -> None:
    made = template()
    made["Resources"]["Audit"]["Properties"] = properties
    timeout = read(made).functions["Audit"].timeout_s
    assert isinstance(timeout, Unknown)
    assert timeout.why.startswith(why)


def test_destinations_come_with_what_their_policies_say(template: Make) -> None:
    made = template()
    made["Resources"]["Failures"]["Properties"] = {"MessageRetentionPeriod": "60"}
    made["Resources"]["Policy"] = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "Failures"}],
            "PolicyDocument": {
                "Statement": {
                    "Effect": "Deny",
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            },
        },
    }
    failures = read(made).destinations["Failures"]
    assert (failures.kind.name, failures.is_fifo, failures.is_encrypted) == ("queue", False, True)
    assert (failures.retention, failures.is_tls_only) == (timedelta(minutes=1), True)


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("Other", {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Foo": 1}}}),
        ("Topic", {"Type": "AWS::SNS::Topic", "Condition": "Nope"}),
        ("Include", {"Fn::Transform": {"Name": "AWS::Include"}}),
        ("Fn::Transform", {"Name": "AWS::Include"}),
        ("Broken", "text"),
        (
            "OtherMapping",
            {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::ImportValue": "theirs"},
                    "FunctionName": {"Ref": "NoDefault"},
                    "KmsKeyArn": {"Fn::Foo": []},
                    "Tags": [{"Key": "a", "Value": {"Ref": "Nope"}}],
                    "BatchSize": 0,
                },
            },
        ),
    ],
)
def test_what_is_not_needed_may_be_unknown_or_wrong(
    template: Make, name: str, resource: Any
) -> None:
    made = template()
    made["Resources"][name] = resource
    assert settings_of(read(made).mappings["Mapping"]) == settings_of(
        read(template()).mappings["Mapping"]
    )


def test_code_is_where_cdk_staged_it(template: Make) -> None:
    made = template()
    made["Resources"]["Audit"]["Metadata"] = {"aws:asset:path": "asset.1"}
    assert read(made).assets == {"Audit": "asset.1"}


_ANYTHING: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, "", "x", [], {}, [None]),
    *({"Ref": 1}, {"Ref": "Orders"}, {"Fn::GetAtt": []}, {"Fn::If": ["IsProd"]}),
    *({"Fn::Sub": {}}, {"Fn::Select": ["", []]}),
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    found = [(value, key) for key in keys]
    inside = [value[key] for key in keys if isinstance(value[key], (dict, list))]
    return found + [each for one in inside for each in _places(one)]


@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_template_ends_in_an_error_of_ours_or_in_values(
    template: Make, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's mutations
    for _ in range(50):
        made = template(
            DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": "Failures.Arn"}}},
            FilterCriteria={"Filters": [{"Pattern": "{}"}]},
            Tags=[{"Key": "a", "Value": "b"}],
        )
        for _ in range(chance.randint(1, 3)):
            holder, key = chance.choice(_places(made))
            holder[key] = deepcopy(chance.choice(_ANYTHING))
        try:
            stack = read(made)
            for mapping in stack.mappings.values():
                settings_of(mapping)
            for table in stack.tables.values():
                known(table.stream)
        except StreamsError:
            pass
