"""The checks on templates of any origin: hand-written, SAM's, CDK's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cdk_streams.checks import assert_no_findings, check_template
from cdk_streams.errors import TemplateError

STREAM = {"Fn::GetAtt": ["Orders", "StreamArn"]}
SAFE: dict[str, Any] = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        },
        "Audit": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Timeout": 60,
                "MemorySize": 256,
                "Role": {"Fn::GetAtt": ["AuditRole", "Arn"]},
            },
        },
        "AuditRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Policies": [
                    {
                        "PolicyName": "Read",
                        "PolicyDocument": {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": ["dynamodb:GetRecords", "dynamodb:DescribeStream"],
                                    "Resource": STREAM,
                                }
                            ]
                        },
                    }
                ]
            },
        },
        "Failed": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"MessageRetentionPeriod": 1_209_600},
        },
        "FailedPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Failed"}],
                "PolicyDocument": {
                    "Statement": {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "sqs:*",
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                },
            },
        },
        "Depth": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [
                    {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Failed", "QueueName"]}}
                ],
            },
        },
        "Lag": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "IteratorAge",
                "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Audit"}}],
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": STREAM,
                "FunctionName": {"Ref": "Audit"},
                "StartingPosition": "TRIM_HORIZON",
                "MaximumRetryAttempts": 10,
                "MaximumRecordAgeInSeconds": 3_600,
                "BisectBatchOnFunctionError": True,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "DestinationConfig": {
                    "OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}
                },
            },
        },
    }
}


def changed(**resources: Any) -> dict[str, Any]:
    """Return the safe template with properties replaced, None taking a property away."""
    template = copy.deepcopy(SAFE)
    for name, properties in resources.items():
        if "Type" in properties:
            template["Resources"][name] = properties
            continue
        held = template["Resources"][name]["Properties"]
        held.update(properties)
        template["Resources"][name]["Properties"] = {
            each: value for each, value in held.items() if value is not None
        }
    return template


def ids(template: Any, **options: Any) -> list[str]:
    found = check_template(template, **options).findings
    return [each.id.removeprefix("cdk-streams:") for each in found]


def test_a_safe_template_has_no_findings() -> None:
    report = check_template(SAFE)
    assert (report.findings, report.mappings, dict(report.skipped)) == ((), 1, {})
    assert_no_findings(SAFE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Mapping": {"DestinationConfig": None}}, ["NoFailureDestination"]),
        ({"Mapping": {"MaximumRetryAttempts": None}}, ["InfiniteRetries"]),
        ({"Mapping": {"BisectBatchOnFunctionError": "false"}}, ["BisectOff"]),
        ({"Mapping": {"StartingPosition": "LATEST"}}, ["StartsAtLatest"]),
        ({"Mapping": {"FiltersToUse": []}}, ["InvalidSettings"]),
        ({"Mapping": {"EventSourceArn": {"Fn::GetAtt": ["Orders", "Arn"]}}}, ["InvalidSettings"]),
        ({"Orders": {"StreamSpecification": None}}, ["NoStream"]),
        ({"Audit": {"Timeout": None}}, ["TimeoutOfOneRequest"]),
        (
            {"Audit": {"MemorySize": "128"}, "Mapping": {"BatchSize": "5000"}},
            ["MemoryOfOneRequest"],
        ),
        (
            {
                "Audit": {"DeadLetterConfig": {"TargetArn": "x"}},
                "Mapping": {"DestinationConfig": None},
            },
            ["NoFailureDestination", "DeadLetterOnFunction"],
        ),
        ({"Failed": {"MessageRetentionPeriod": None}}, []),
        ({"Failed": {"MessageRetentionPeriod": 3_600}}, ["DestinationRetentionShort"]),
        ({"Failed": {"FifoQueue": "true"}}, ["InvalidSettings", "FifoDestination"]),
        ({"FailedPolicy": {"Queues": []}}, ["DestinationWithoutTls"]),
        ({"Depth": {"MetricName": "NumberOfMessagesSent"}}, ["FailuresNotAlarmed"]),
        ({"Lag": {"Dimensions": []}}, ["LagNotAlarmed"]),
    ],
    ids=str,
)
def test_a_property_of_any_resource_is_seen(change: dict[str, Any], expected: list[str]) -> None:
    assert ids(changed(**change)) == expected


def test_a_role_that_writes_the_source_is_an_endless_loop() -> None:
    write = {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem"],
        "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
    }
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "Roles": [{"Ref": "AuditRole"}],
            "PolicyDocument": {"Statement": [write]},
        },
    }
    assert ids(changed(Writes=policy)) == ["WritesOwnSource"]
    other = {**write, "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/Other"}
    inline = [
        *SAFE["Resources"]["AuditRole"]["Properties"]["Policies"],
        {"PolicyName": "P", "PolicyDocument": {"Statement": other}},
    ]
    assert ids(changed(AuditRole={"Policies": inline})) == []


def test_a_mapping_waits_for_the_policy_that_lets_it_read() -> None:
    read = {"Effect": "Allow", "Action": "dynamodb:Get*", "Resource": "*"}
    template = changed(
        Reads={
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "Roles": [{"Ref": "AuditRole"}],
                "PolicyDocument": {"Statement": [read]},
            },
        }
    )
    assert ids(template) == ["MappingBeforePolicy"]
    template["Resources"]["Mapping"]["DependsOn"] = ["Reads"]
    assert ids(template) == []


def test_pipes_and_other_mappings_are_readers() -> None:
    pipe = {"Type": "AWS::Pipes::Pipe", "Properties": {"Source": STREAM}}
    assert ids(changed(One=pipe, Two=pipe)) == ["TooManyReaders"]


def test_an_alias_is_another_function_than_what_it_names() -> None:
    second = copy.deepcopy(SAFE["Resources"]["Mapping"])
    alias = {
        "Type": "AWS::Lambda::Alias",
        "Properties": {"Name": "live", "FunctionName": {"Ref": "Audit"}},
    }
    assert ids(changed(Second=second)) == ["SameMappingTwice"]
    second["Properties"]["FunctionName"] = {"Ref": "Live"}
    assert ids(changed(Second=second, Live=alias)) == []


def test_a_sam_function_is_checked_by_its_events() -> None:
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Orders": SAFE["Resources"]["Orders"],
            "Audit": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Policies": [{"DynamoDBCrudPolicy": {"TableName": {"Ref": "Orders"}}}],
                    "Events": {
                        "Changes": {
                            "Type": "DynamoDB",
                            "Properties": {"Stream": STREAM, "StartingPosition": "TRIM_HORIZON"},
                        }
                    },
                },
            },
        },
    }
    found = check_template(template).findings
    assert {each.place for each in found} == {"Resources.Audit.Properties.Events.Changes"}
    assert {"cdk-streams:WritesOwnSource", "cdk-streams:InfiniteRetries"} <= {e.id for e in found}


def test_what_is_not_created_is_named_and_not_checked() -> None:
    template = changed(Mapping={"DestinationConfig": None})
    template["Parameters"] = {"Live": {"Type": "String", "Default": "no"}}
    template["Conditions"] = {"IsLive": {"Fn::Equals": [{"Ref": "Live"}, "yes"]}}
    template["Resources"]["Mapping"]["Condition"] = "IsLive"

    report = check_template(template)
    assert report.findings == ()
    assert "IsLive is false" in report.skipped["Mapping"]
    with pytest.raises(AssertionError, match=r"got none that is created: .* IsLive is false"):
        assert_no_findings(template)
    assert ids(template, parameters={"Live": "yes"}) == ["NoFailureDestination"]


def test_a_test_fails_with_a_line_for_each_finding() -> None:
    template = changed(Mapping={"MaximumRetryAttempts": None, "DestinationConfig": None})
    with pytest.raises(AssertionError) as raised:
        assert_no_findings(template)
    assert (
        str(raised.value)
        .splitlines()[0]
        .startswith(
            "Resources.Mapping: cdk-streams:InfiniteRetries: "
            "MaximumRetryAttempts is -1, which is no limit: "
        )
    )
    assert len(str(raised.value).splitlines()) == 2
    ignore = ["InfiniteRetries", "cdk-streams:NoFailureDestination"]
    assert_no_findings(template, ignore=ignore)


def test_what_is_no_template_is_an_error() -> None:
    with pytest.raises(TemplateError, match="must hold a template, got a list"):
        check_template("[1,\n2]")


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ({"Policies": None}, ["RoleNotGranted"]),
        ({"Policies": None, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Mine"]}, []),
        (
            {
                "Policies": None,
                "ManagedPolicyArns": [
                    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
                ],
            },
            ["RoleNotGranted"],
        ),
        ({"Policies": [{"Fn::ImportValue": "policy"}]}, []),
    ],
    ids=["none", "unknown managed", "managed without streams", "unknown inline"],
)
def test_a_role_that_may_not_read_is_a_finding(role: Any, found: list[str]) -> None:
    assert ids(changed(AuditRole=role)) == found


def test_properties_that_are_no_object_are_refused() -> None:
    template = copy.deepcopy(SAFE)
    template["Resources"]["Mapping"]["Properties"] = 5
    (finding,) = check_template(template).findings
    assert finding.id == "cdk-streams:InvalidSettings"
    assert finding.what == "Resources.Mapping.Properties must be an object, got 5"


def test_a_resource_of_another_shape_is_named() -> None:
    template = copy.deepcopy(SAFE)
    template["Resources"] |= {"A": 5, "B": {"Properties": {}}, "C": {"Type": "T", "Properties": []}}
    assert check_template(template).skipped == {
        "A": "Resources.A must be an object with a Type, got 5",
        "B": "Resources.B must have a Type, such as AWS::Lambda::Function",
        "C": "Resources.C.Properties must be an object, got a list",
    }


def test_a_finding_speaks_the_words_of_who_wrote_the_template() -> None:
    template = changed(Mapping={"BisectBatchOnFunctionError": None, "BatchSize": 10})
    (by_hand,) = check_template(template).findings
    assert by_hand.what == "BisectBatchOnFunctionError is off with a BatchSize of 10"
    assert by_hand.fix == "Write BisectBatchOnFunctionError: true"
    path = "Shop/Audit/DynamoDBEventSource:ShopOrders/Resource"
    template["Resources"]["Mapping"]["Metadata"] = {"aws:cdk:path": path}
    assert check_template(template).findings == (by_hand,)
    template["Resources"]["Mapping"]["Metadata"] = {"aws:cdk:path": "Shop/Audit/Mapping"}
    (ours,) = check_template(template).findings
    assert ours.what.startswith("bisect_batch_on_error (BisectBatchOnFunctionError) is off")
    assert ours.fix == "Set bisect_batch_on_error=True"


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("{}", "FilterCriteria.Filters[0]: an empty object matches nothing; "),
        ('{"a": {"b": 1}}', "FilterCriteria.Filters[0], a.b: a field takes an array of values, "),
    ],
)
def test_a_refused_filter_is_named_by_its_property(pattern: str, sentence: str) -> None:
    criteria = {"Filters": [{"Pattern": pattern}]}
    (finding,) = check_template(changed(Mapping={"FilterCriteria": criteria})).findings
    assert finding.what.startswith(sentence)


def test_several_faults_are_numbered() -> None:
    template = changed(Mapping={"BatchSize": 20_000, "MaximumRetryAttempts": -2})
    (finding,) = check_template(template).findings
    assert finding.what.startswith("(1) BatchSize must be 1 to 10,000 records, got 20000 (2) Max")
