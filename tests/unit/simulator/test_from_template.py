from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Any

import pytest

from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.simulator import TableStream, from_template
from cdk_streams.simulator._engine.handler_calls import Handler

Template = dict[str, Any]


def _keys(*names: str) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": name, "KeyType": kinds[at]} for at, name in enumerate(names)]


def _template(**mapping: Any) -> Template:
    """A stack as a person writes it: one table, one function, one queue."""
    return {
        "Parameters": {
            "Size": {"Type": "Number", "Default": 2},
            "Stage": {"Type": "String", "Default": "dev"},
            "NoDefault": {"Type": "String"},
        },
        "Conditions": {
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
        },
        "Mappings": {"Retries": {"dev": {"Count": 1}, "prod": {"Count": 5}}},
        "Resources": {
            "Orders": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "KeySchema": _keys("pk", "sk")[::-1],
                    "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
                    "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
                },
            },
            "Failures": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
            "Audit": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Timeout": 30,
                    "MemorySize": 512,
                    "Environment": {
                        "Variables": {
                            "TABLE": {"Ref": "Orders"},
                            "WHERE": {"Fn::Sub": "${AWS::Region}/${Stage}/${Failures.Arn}"},
                            "LATER": {"Fn::ImportValue": "something"},
                        }
                    },
                },
            },
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                    "FunctionName": {"Ref": "Audit"},
                    "StartingPosition": "TRIM_HORIZON",
                    "BatchSize": {"Ref": "Size"},
                    "MaximumRetryAttempts": {
                        "Fn::FindInMap": ["Retries", {"Ref": "Stage"}, "Count"]
                    },
                    "DestinationConfig": {
                        "OnFailure": {"Destination": {"Fn::GetAtt": "Failures.Arn"}}
                    },
                    **mapping,
                },
            },
        },
    }


def _nothing(_event: Any, _context: Any) -> None:
    return None


def test_this_stack_these_writes_that_outcome() -> None:
    batches: list[list[dict[str, Any]]] = []

    def handler(event: Any, _: Any) -> None:
        batches.append(event["Records"])
        if any(each["dynamodb"]["Keys"]["pk"]["S"] == "bad" for each in event["Records"]):
            raise ValueError

    world = from_template(_template(), {"Audit": handler})
    orders = world.tables["Orders"]
    for key in ("1", "2", "bad", "4"):
        orders.put({"pk": key, "sk": 1})
    world.run()

    assert [len(batch) for batch in batches] == [2, 2, 2]
    assert batches[0][0]["dynamodb"]["StreamViewType"] == "NEW_IMAGE"
    audit = world.consumers["Audit"]
    assert len(audit.records("handled")) == 2
    (failure,) = audit.failures
    assert failure["requestContext"]["approximateInvokeCount"] == 2
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 2


def test_the_function_is_the_one_deployed() -> None:
    found: dict[str, Any] = {}

    def handler(_: Any, context: Any) -> None:
        found["left"] = context.get_remaining_time_in_millis()
        found["memory"] = context.memory_limit_in_mb
        found["name"] = context.function_name
        found.update({name: os.environ[name] for name in ("TABLE", "WHERE", "LATER")})

    world = from_template(_template(), {"Audit": handler})
    world.tables["Orders"].put({"pk": "1", "sk": 1})
    world.run()

    assert found == {
        "left": 30_000,
        "memory": "512",
        "name": "Audit",
        "TABLE": "Orders",
        "WHERE": "us-east-1/dev/arn:aws:sqs:us-east-1:123456789012:dead",
        "LATER": "Audit-LATER-simulated",
    }
    assert "TABLE" not in os.environ


def test_parameters_stand_in_for_their_defaults() -> None:
    world = from_template(_template(), {"Audit": _nothing}, parameters={"Size": 7, "Stage": "prod"})

    settings = world.consumers["Audit"].settings
    assert (settings.batch_size, settings.retry_attempts) == (7, 5)


def test_the_table_has_the_keys_stream_and_ttl_of_the_template() -> None:
    world = from_template(_template(), {})

    orders = world.tables["Orders"]
    assert orders.stream.keys == ("pk", "sk")
    assert orders.ttl == "until"


def test_conditions_decide_what_is_there() -> None:
    template = _template(
        BatchSize={"Fn::If": ["IsProd", 100, 1]},
        MaximumBatchingWindowInSeconds={"Fn::If": ["IsProd", 5, {"Ref": "AWS::NoValue"}]},
    )
    template["Resources"]["Mapping"]["Condition"] = "IsDev"

    settings = from_template(template, {"Audit": _nothing}).consumers["Audit"].settings
    assert (settings.batch_size, settings.max_batching_window) == (1, timedelta(0))
    with pytest.raises(SourceError) as error:
        from_template(template, {"Audit": _nothing}, parameters={"Stage": "prod"})
    assert str(error.value) == (
        "Mapping is not created: its Condition IsDev is false; no mapping of Audit is created"
    )


def test_sam_events_are_mappings_too() -> None:
    template: Template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Timeout": 9}},
        "Resources": {
            "Orders": {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {
                    "TableName": "orders-table",
                    "KeySchema": _keys("id"),
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                },
            },
            "Audit": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "ReservedConcurrentExecutions": 4,
                    "Events": {
                        "Api": {"Type": "Api", "Properties": {}},
                        "Changes": {
                            "Type": "DynamoDB",
                            "Properties": {
                                "Stream": {"Fn::GetAtt": ["Orders", "StreamArn"]},
                                "StartingPosition": "LATEST",
                                "BatchSize": "25",
                                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                            },
                        },
                    },
                },
            },
        },
    }

    world = from_template(template, {"Audit": _nothing})

    audit = world.consumers["Audit"]
    assert audit.settings.batch_size == 25
    assert audit.settings.report_batch_item_failures
    assert audit.function.configuration.timeout_ms == 9_000
    assert audit.function.reserved_concurrency == 4
    assert world.tables["Orders"] is world.tables["orders-table"]
    assert list(world.tables) == ["orders-table"]
    assert world.tables["Orders"].stream.keys == ("id",)


def test_a_mapping_of_another_source_is_passed_over() -> None:
    template = _template()
    template["Resources"]["Jobs"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": {"Fn::GetAtt": ["Failures", "Arn"]},
            "FunctionName": {"Ref": "Audit"},
        },
    }

    assert list(from_template(template, {"Audit": _nothing}).consumers) == ["Audit"]


def test_a_function_with_two_mappings_is_two_consumers() -> None:
    template = _template()
    resources = template["Resources"]
    resources["Second"] = {**resources["Mapping"]}

    world = from_template(template, {"Audit": _nothing})

    assert list(world.consumers) == ["Audit:Mapping", "Audit:Second"]


def test_cdk_ids_may_be_given_without_their_hash() -> None:
    template = _template(FunctionName={"Ref": "Audit1A2B3C4D"})
    resources = template["Resources"]
    resources["Audit1A2B3C4D"] = resources.pop("Audit")

    assert list(from_template(template, {"Audit": _nothing}).consumers) == ["Audit"]


def test_a_handler_for_what_is_not_there_is_told_what_is() -> None:
    with pytest.raises(
        SourceError,
        match="functions of the template, got 'Adit', which is no function; it has Audit",
    ):
        from_template(_template(), {"Adit": _nothing})


def test_a_table_elsewhere_has_to_be_described() -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Elsewhere/stream/2026-01-01T00:00:00.000"
    template = _template(EventSourceArn=arn)
    handlers: dict[str, Handler] = {"Audit": _nothing}

    with pytest.raises(SourceError, match="reads the stream of Elsewhere, a table that is not in"):
        from_template(template, handlers)
    stream = TableStream("Elsewhere", keys=("id",))
    world = from_template(template, handlers, tables={"Elsewhere": stream})

    assert world.tables["Elsewhere"].stream.keys == ("id",)
    assert world.consumers["Audit"].table is world.tables["Elsewhere"]


def test_a_stream_known_only_after_deployment_goes_by_its_mapping() -> None:
    template = _template(EventSourceArn={"Fn::GetAtt": ["Lookup", "StreamArn"]})
    template["Resources"]["Lookup"] = {"Type": "Custom::Lookup", "Properties": {}}
    stream = TableStream("Elsewhere")

    with pytest.raises(SourceError) as error:
        from_template(template, {"Audit": _nothing})
    assert str(error.value) == (
        "Mapping.EventSourceArn: Lookup.StreamArn of a Custom::Lookup is known only after a "
        "deployment; pass a template where it is a plain value, or describe the stream: "
        "tables={'Mapping': TableStream(…, keys=(…,))}"
    )
    world = from_template(template, {"Audit": _nothing}, tables={"Mapping": stream})

    assert world.consumers["Audit"].table.name == "Elsewhere"


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        (
            "OtherMapping",
            {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Other"},
                    "EventSourceArn": {"Fn::ImportValue": "theirs"},
                    "BatchSize": 0,
                },
            },
        ),
        (
            "OtherTable",
            {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {"StreamSpecification": {"StreamViewType": {"Ref": "NoDefault"}}},
            },
        ),
        ("Topic", {"Type": "AWS::SNS::Topic", "Condition": "Nope"}),
        (
            "Jobs",
            {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Audit"},
                    "EventSourceArn": {"Fn::ImportValue": "QueueArn"},
                },
            },
        ),
    ],
)
def test_what_is_not_under_test_may_be_unknown(name: str, resource: Any) -> None:
    template = _template()
    template["Resources"]["Other"] = {"Type": "AWS::Lambda::Function", "Properties": {}}
    template["Resources"][name] = resource

    assert list(from_template(template, {"Audit": _nothing}).consumers) == ["Audit"]


def test_a_destination_of_another_stack_gets_failures_too() -> None:
    def broken(_event: Any, _context: Any) -> None:
        raise ValueError

    destination = {"OnFailure": {"Destination": {"Fn::ImportValue": "DeadLetters"}}}
    world = from_template(_template(DestinationConfig=destination), {"Audit": broken})
    world.tables["Orders"].put({"pk": "1", "sk": 1})
    world.run()

    assert len(world.consumers["Audit"].failures) == 1


def test_a_literal_stream_arn_gives_its_region_and_account_to_the_records() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/{}/stream/2025-05-05T00:00:00.000"
    records: list[dict[str, Any]] = []

    def keep(event: Any, _: Any) -> None:
        records.extend(event["Records"])

    handlers: dict[str, Handler] = {"Audit": keep}
    ours = from_template(_template(EventSourceArn=arn.format("Orders")), handlers)
    ours.tables["Orders"].put({"pk": "1", "sk": 1})
    ours.run()
    theirs = from_template(
        _template(EventSourceArn=arn.format("Theirs")),
        handlers,
        tables={"Theirs": TableStream("Theirs", keys=("id",))},
    )
    theirs.tables["Theirs"].put({"id": "1"})
    theirs.run()

    assert [each["awsRegion"] for each in records] == ["eu-west-1", "eu-west-1"]
    assert [each["eventSourceARN"] for each in records] == [
        arn.format("Orders"),
        arn.format("Theirs"),
    ]


def test_records_name_the_partition_of_their_region() -> None:
    world = from_template(_template(), {"Audit": _nothing}, region="cn-north-1")
    assert world.tables["Orders"].stream.arn.startswith("arn:aws-cn:dynamodb:cn-north-1:")
    assert world.consumers["Audit"].function.configuration.arn.startswith(
        "arn:aws-cn:lambda:cn-north-1:"
    )


def test_a_mapping_that_reads_no_dynamodb_stream_can_be_left_out() -> None:
    template = _template()
    template["Resources"]["Clicks"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "FunctionName": {"Ref": "Audit"},
            "EventSourceArn": {"Fn::ImportValue": "ClicksStream"},
            "StartingPosition": "LATEST",
        },
    }

    with pytest.raises(SourceError, match=r"^Clicks\.EventSourceArn: Fn::ImportValue has no"):
        from_template(template, {"Audit": _nothing})
    world = from_template(template, {"Audit": _nothing}, tables={"Clicks": None})
    assert list(world.consumers) == ["Audit"]


def test_a_mapping_whose_function_is_unknown_says_what_it_needs() -> None:
    template = _template(FunctionName={"Fn::Sub": "${NoDefault}-audit:live"})
    template["Resources"]["Audit"]["Properties"]["FunctionName"] = {"Fn::Sub": "${NoDefault}-audit"}

    with pytest.raises(SourceError) as error:
        from_template(template, {"Audit": _nothing})
    assert str(error.value) == (
        "Audit must consume a DynamoDB stream, got a function that no mapping is known to call: "
        "Mapping.FunctionName: the parameter 'NoDefault' has no default; "
        "pass parameters={'NoDefault': …}"
    )
    world = from_template(template, {"Audit": _nothing}, parameters={"NoDefault": "dev"})
    assert list(world.consumers) == ["Audit"]


def test_a_function_that_is_not_created_has_no_handler() -> None:
    template = _template()
    template["Resources"]["Audit"]["Condition"] = "IsProd"

    with pytest.raises(SourceError) as error:
        from_template(template, {"Audit": _nothing})
    assert str(error.value) == (
        "Audit is not created: its Condition IsProd is false; "
        "pass parameters= that make it, or no handler"
    )


def test_settings_that_lambda_refuses_are_refused_here() -> None:
    with pytest.raises(SettingsError, match="Mapping: batch_size must be 1 to 10,000"):
        from_template(_template(BatchSize=20_000), {"Audit": _nothing})


def test_writes_before_a_poller_that_starts_at_latest_are_pointed_out() -> None:
    world = from_template(_template(StartingPosition="LATEST"), {"Audit": _nothing})
    world.tables["Orders"].put({"pk": "1", "sk": 1})
    told = (
        "Audit starts at LATEST and never gets a record that was written to Orders before its "
        "poller began; call world.run() once before the first write, or start at TRIM_HORIZON"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(told)}$"):
        world.run()

    (start,) = [each for each in world.timeline if each.kind == "start"]
    assert start.detail == "from LATEST, past 1 that were written before"
    assert world.consumers["Audit"].invocations == []


def test_writes_after_the_poller_has_begun_are_delivered_from_latest_on() -> None:
    world = from_template(_template(StartingPosition="LATEST"), {"Audit": _nothing})
    world.run()
    world.tables["Orders"].put({"pk": "1", "sk": 1})
    world.run()

    assert len(world.consumers["Audit"].records("handled")) == 1
