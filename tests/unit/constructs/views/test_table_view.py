from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

import cdk_streams as streams
from cdk_streams.simulator import from_template
from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.views import Count, Sum, View, view_handler

Resources = Callable[..., dict[str, Any]]
KINDS = dynamodb.StreamViewType
SINCE = datetime(2026, 11, 26, 12, tzinfo=UTC)
SOURCE = (
    "from lambda_runtime.views import Count, Sum, View\n"
    "view = View(group_by='customer', orders=Count(), total=Sum('total'))\n"
)
VIEW = View(group_by="customer", orders=Count(), total=Sum("total"))


def key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


@pytest.fixture
def orders(stack: cdk.Stack) -> streams.StreamTable:
    return streams.StreamTable(
        stack, "Orders", partition_key=key("order_id"), stream_view_type=KINDS.NEW_IMAGE
    )


@pytest.fixture
def totals(stack: cdk.Stack) -> dynamodb.TableV2:
    return dynamodb.TableV2(
        stack, "Totals", partition_key=key("customer"), removal_policy=cdk.RemovalPolicy.DESTROY
    )


@pytest.fixture
def view(tmp_path: Path) -> str:
    file = tmp_path / "totals.py"
    file.write_text(SOURCE, encoding="utf-8")
    return f"{file}:view"


def variables(resources: dict[str, Any]) -> dict[str, Any]:
    (function,) = resources.values()
    found: dict[str, Any] = function["Properties"]["Environment"]["Variables"]
    return {name: value for name, value in found.items() if name.startswith("STREAM_VIEW")}


def test_a_view_is_a_consumer_with_a_function_of_its_own(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    made = streams.TableView(stack, "View", source=orders, target=totals, view=view, batch_size=500)

    assert isinstance(made, streams.StreamConsumer)
    assert isinstance(made.function, streams.StreamFunction)
    assert made.settings.batch_size == 500
    assert made.target is totals
    assert made.marks.node.path == "Test/Totals/ViewMarks"


def test_the_function_is_told_the_view_and_its_tables(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    totals: dynamodb.TableV2,
    view: str,
    resources_of: Resources,
) -> None:
    made = streams.TableView(stack, "View", source=orders, target=totals, view=view)

    assert variables(resources_of(stack, "AWS::Lambda::Function")) == {
        "STREAM_VIEW": "totals:view",
        "STREAM_VIEW_TARGET": stack.resolve(totals.table_name),
        "STREAM_VIEW_MARKS": stack.resolve(made.marks.table_name),
    }


def test_the_function_may_write_both_tables_and_read_marks(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    totals: dynamodb.TableV2,
    view: str,
    resources_of: Resources,
) -> None:
    made = streams.TableView(stack, "View", source=orders, target=totals, view=view)

    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    statements = [
        (each["Action"], each["Resource"])
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "Stream" not in str(each) and each["Action"] != "sqs:SendMessage"
    ]
    assert statements == [
        (
            ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            stack.resolve(totals.table_arn),
        ),
        (["dynamodb:BatchGetItem", "dynamodb:PutItem"], stack.resolve(made.marks.table_arn)),
    ]


def test_the_marks_expire_last_as_long_as_the_target_and_share_its_key(
    app: cdk.App, view: str, resources_of: Resources
) -> None:
    stack = cdk.Stack(app, "Regional", env=cdk.Environment(region="eu-west-1"))
    orders = streams.StreamTable(stack, "Orders", partition_key=key("order_id"))
    secret = kms.Key(stack, "Key")
    target = dynamodb.TableV2(
        stack,
        "Target",
        partition_key=key("customer"),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(secret),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    made = streams.TableView(stack, "View", source=orders, target=target, view=view)

    resource = made.marks.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    marks = resources_of(stack, "AWS::DynamoDB::GlobalTable")[stack.get_logical_id(resource)]
    (replica,) = marks["Properties"]["Replicas"]
    assert replica["SSESpecification"]["KMSMasterKeyId"] == stack.resolve(secret.key_arn)
    assert marks["DeletionPolicy"] == "Delete"
    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    (use,) = [
        each
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if each["Resource"] == stack.resolve(secret.key_arn)
    ]
    assert use["Condition"] == {"StringLike": {"kms:ViaService": "dynamodb.*"}}
    assert marks["Properties"]["TimeToLiveSpecification"] == {
        "AttributeName": "_stream_expires_at",
        "Enabled": True,
    }
    assert marks["Properties"]["KeySchema"] == [{"AttributeName": "item", "KeyType": "HASH"}]


def test_the_asset_has_the_view_s_file_and_the_runtime_of_views(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    streams.TableView(stack, "View", source=orders, target=totals, view=view)

    app = stack.node.root
    assert isinstance(app, cdk.App)
    (asset,) = [path for path in Path(app.outdir).iterdir() if path.name.startswith("asset.")]
    files = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}
    assert {"table_view.py", "totals.py", "lambda_runtime/views/_writer.py"} <= files
    assert not {name for name in files if name.startswith("lambda_runtime/forward")}


def test_a_rebuild_is_kept_by_the_same_function_beside_the_view(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    totals: dynamodb.TableV2,
    view: str,
    resources_of: Resources,
) -> None:
    newer = Path(view).with_name("newer.py")
    newer.write_text(SOURCE, encoding="utf-8")
    target = dynamodb.TableV2(stack, "Newer", partition_key=key("customer"))

    streams.TableView(
        stack,
        "View",
        source=orders,
        target=totals,
        view=view,
        rebuild=streams.ViewRebuild(target, f"{newer}:view", SINCE),
    )

    told = variables(resources_of(stack, "AWS::Lambda::Function"))
    assert told["STREAM_VIEW_REBUILD"] == "newer:view"
    assert told["STREAM_VIEW_TARGET_REBUILD"] == stack.resolve(target.table_name)
    assert told["STREAM_VIEW_SINCE_REBUILD"] == "2026-11-26T12:00:00+00:00"
    assert len(resources_of(stack, "AWS::Lambda::EventSourceMapping")) == 1


def test_after_the_swap_the_marks_are_those_of_the_rebuild(
    view: str, context: dict[str, Any], tmp_path: Path
) -> None:
    def marks_of(*, swapped: bool) -> set[str]:
        app = cdk.App(context=context, outdir=str(tmp_path / f"cdk.out.{swapped}"))
        stack = cdk.Stack(app, "Test")
        orders = streams.StreamTable(stack, "Orders", partition_key=key("order_id"))
        old, new = (
            dynamodb.TableV2(stack, name, partition_key=key("customer")) for name in ("Old", "New")
        )
        rebuild = None if swapped else streams.ViewRebuild(new, view, SINCE)
        target, since = (new, SINCE) if swapped else (old, None)
        streams.TableView(
            stack, "V", source=orders, target=target, view=view, since=since, rebuild=rebuild
        )
        return {
            stack.get_logical_id(each)
            for each in stack.node.find_all()
            if isinstance(each, dynamodb.CfnGlobalTable) and "Marks" in each.node.path
        }

    assert marks_of(swapped=True) < marks_of(swapped=False)


@pytest.mark.parametrize("kind", [KINDS.KEYS_ONLY, KINDS.OLD_IMAGE])
def test_a_stream_without_new_images_is_refused(
    stack: cdk.Stack, totals: dynamodb.TableV2, view: str, kind: dynamodb.StreamViewType
) -> None:
    table = streams.StreamTable(stack, "T", partition_key=key("id"), stream_view_type=kind)
    with pytest.raises(streams.SourceError, match=f"got {kind.value}: a view reads new images"):
        streams.TableView(stack, "View", source=table, target=totals, view=view)


def test_a_source_that_is_its_own_target_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, view: str
) -> None:
    with pytest.raises(streams.SourceError, match="another table than the source"):
        streams.TableView(stack, "View", source=orders, target=orders, view=view)


def test_a_target_of_two_views_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    streams.TableView(stack, "View", source=orders, target=totals, view=view)
    with pytest.raises(streams.SourceError, match="which another one keeps"):
        streams.TableView(stack, "Again", source=orders, target=totals, view=view)


def test_a_target_of_another_region_is_refused(app: cdk.App, view: str) -> None:
    here = cdk.Stack(app, "Here", env=cdk.Environment(region="eu-west-1"))
    there = cdk.Stack(app, "There", env=cdk.Environment(region="us-east-1"))
    orders = streams.StreamTable(here, "Orders", partition_key=key("order_id"))
    target = dynamodb.TableV2(there, "Totals", partition_key=key("customer"), table_name="totals")
    with pytest.raises(streams.SourceError, match="in the Region of the view, eu-west-1"):
        streams.TableView(here, "View", source=orders, target=target, view=view)


@pytest.mark.parametrize(
    "pattern",
    [
        streams.Filter.insert(),
        streams.Filter.any_event(streams.NewImage("status").eq("PAID")),
        '{"dynamodb": {"OldImage": {"a": {"S": ["b"]}}}}',
    ],
)
def test_a_filter_that_hides_changes_of_an_item_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str, pattern: Any
) -> None:
    with pytest.raises(streams.SettingsError, match="filters of a view must ask for keys alone"):
        streams.TableView(stack, "View", source=orders, target=totals, view=view, filters=[pattern])


def test_a_filter_on_keys_is_taken(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    keys = streams.Filter.any_event(streams.Keys("order_id").begins_with("EU#"))
    made = streams.TableView(stack, "View", source=orders, target=totals, view=view, filters=[keys])
    assert len(made.settings.filters) == 1


def test_a_window_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    with pytest.raises(streams.SettingsError, match="tumbling_window must be left out"):
        streams.TableView(
            stack, "View", source=orders, target=totals, view=view, tumbling_window=60
        )


def test_a_since_without_its_zone_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    with pytest.raises(streams.SettingsError, match="since must be a datetime with its zone"):
        streams.TableView(
            stack,
            "View",
            source=orders,
            target=totals,
            view=view,
            since=SINCE.replace(tzinfo=None),
        )


def test_a_file_without_the_view_is_refused(
    stack: cdk.Stack, orders: streams.StreamTable, totals: dynamodb.TableV2, view: str
) -> None:
    with pytest.raises(streams.SourceError, match="view must name something that"):
        streams.TableView(stack, "View", source=orders, target=totals, view=f"{view}s")


def test_the_stack_as_it_deploys_keeps_the_view_in_the_simulator(
    stack: cdk.Stack,
    orders: streams.StreamTable,
    totals: dynamodb.TableV2,
    view: str,
    template_of: Callable[[Any], Any],
) -> None:
    streams.TableView(stack, "View", source=orders, target=totals, view=view)
    template = template_of(stack).to_json()
    tables = FakeDynamoDB({"Totals": ("customer",), "Marks": ("item",)})
    seen: dict[str, str] = {}

    def handler(event: Any, context: Any) -> Any:
        seen.update(os.environ)
        os.environ["STREAM_VIEW_TARGET"], os.environ["STREAM_VIEW_MARKS"] = "Totals", "Marks"
        return view_handler(views={"totals:view": VIEW}, client=tables)(event, context)

    world = from_template(template, {"ViewFunction": handler})
    (table,) = [each for name, each in world.tables.items() if name.startswith("Orders")]
    table.put({"order_id": "o-1", "customer": "c-1", "total": 12})
    table.put({"order_id": "o-2", "customer": "c-1", "total": 30})
    table.put({"order_id": "o-1", "customer": "c-2", "total": 12})
    world.run()

    assert tables.items("Totals") == [
        {"customer": "c-1", "_view_items": 1, "orders": 1, "total": 30},
        {"customer": "c-2", "_view_items": 1, "orders": 1, "total": 12},
    ]
    assert seen["STREAM_VIEW"] == "totals:view"
