from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

import cdk_streams as streams

Resources = Callable[..., dict[str, Any]]
KEY = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)


@pytest.fixture
def replica(stack: cdk.Stack) -> streams.TableReplica:
    orders = streams.StreamTable(
        stack,
        "Orders",
        partition_key=KEY,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
    )
    copy = dynamodb.TableV2(stack, "Copy", partition_key=KEY)
    return streams.TableReplica(
        stack, "Replica", source=orders, target=copy, backfill=streams.Backfill.DISTRIBUTED
    )


def definition(resources: dict[str, Any]) -> dict[str, Any]:
    """Return the state machine's definition, with a placeholder for each reference."""
    (machine,) = resources.values()
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    text = "".join(each if isinstance(each, str) else "<ref>" for each in parts)
    made: dict[str, Any] = json.loads(text)
    return made


@pytest.mark.usefixtures("replica")
def test_the_table_is_exported_and_each_file_written(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    states = definition(resources_of(stack, "AWS::StepFunctions::StateMachine"))["States"]
    assert states["ExportTable"]["Parameters"]["ExportFormat"] == "DYNAMODB_JSON"
    assert states["IsExported"]["Default"] == "WaitForExport"
    each = states["EachFile"]
    assert each["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert each["ItemReader"]["Resource"].endswith(":states:::s3:listObjectsV2")
    assert each["ItemReader"]["Parameters"]["Prefix.$"].startswith(
        "States.Format('AWSDynamoDB/{}/data/'"
    )
    # The worker's event: a file that is not done comes again with the line it goes on at.
    assert {name.removesuffix(".$") for name in each["ItemSelector"]} == {
        "bucket",
        "key",
        "exportTime",
        "line",
        "read",
        "written",
        "superseded",
    }
    inner = each["ItemProcessor"]["States"]
    assert inner["IsWritten"]["Choices"] == [
        {"Variable": "$.line", "NumericEquals": -1, "Next": "Written"}
    ]
    assert inner["IsWritten"]["Default"] == "WriteFile"
    assert inner["WriteFile"]["Retry"][-1]["ErrorEquals"] == ["States.TaskFailed"]


def test_the_worker_is_the_replica_with_more_time(
    stack: cdk.Stack, app: cdk.App, replica: streams.TableReplica, resources_of: Resources
) -> None:
    assert replica.backfill is not None
    (worker,) = (
        each["Properties"]
        for each in resources_of(stack, "AWS::Lambda::Function").values()
        if each["Properties"]["Handler"] == "backfill_worker.handler"
    )
    assert (worker["MemorySize"], worker["Timeout"]) == (1_769, 900)
    variables = worker["Environment"]["Variables"]
    assert variables["STREAM_REPLICA_SOURCE_KEYS"] == "pk"
    assert variables["STREAM_REPLICA_TABLE"] == {"Ref": "Copy1ED8A51E"}
    app.synth()
    assert any(
        (asset / "backfill_worker.py").exists()
        and (asset / "lambda_runtime" / "replication" / "_export.py").exists()
        for asset in Path(app.outdir).glob("asset.*")
    )


@pytest.mark.usefixtures("replica")
def test_the_worker_may_read_data_files_and_write_the_target(
    stack: cdk.Stack, resources_of: Resources
) -> None:
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in resources_of(stack, "AWS::IAM::Policy").items()
        if "BackfillWorker" in name
    )
    assert [each["Action"] for each in policy] == [
        ["dynamodb:PartiQLInsert", "dynamodb:PutItem"],
        "s3:GetObject",
    ]
    assert policy[1]["Resource"]["Fn::Join"][1][1] == "/AWSDynamoDB/*/data/*"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backfill": "DISTRIBUTED"}, "backfill must be Backfill.DISTRIBUTED or None, got 'DIST"),
        (
            {
                "backfill": streams.Backfill.DISTRIBUTED,
                "two_way": streams.LastWriterWins("updated_at"),
            },
            "backfill must be left out with two_way",
        ),
    ],
)
def test_wrong_options_are_one_sentence(
    stack: cdk.Stack, options: dict[str, Any], message: str
) -> None:
    orders = streams.StreamTable(stack, "Orders", partition_key=KEY)
    with pytest.raises(streams.SettingsError, match=message):
        streams.TableReplica(stack, "Replica", source=orders, target="Copy", **options)


def test_an_imported_source_needs_the_keys(stack: cdk.Stack) -> None:
    orders = dynamodb.TableV2.from_table_attributes(
        stack,
        "Orders",
        table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
        table_stream_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026",
    )
    with pytest.raises(streams.SettingsError, match="target_keys must be given for a backfill"):
        streams.TableReplica(
            stack,
            "Replica",
            source=orders,
            target="Copy",
            backfill=streams.Backfill.DISTRIBUTED,
        )
