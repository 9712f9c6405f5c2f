"""What replaces a mapping is a finding where the last template is known."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources

from cdk_streams import StreamConsumer, StreamFunction, StreamTable
from cdk_streams._documentation import page
from cdk_streams.checks import RULES

KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
Build = Callable[["Shop"], Any]


class Shop:
    """A stack as it is built once; the next one is built into the same output folder."""

    def __init__(self, scope: cdk.App | cdk.Stage, handler: Path) -> None:
        self.stack = cdk.Stack(scope, "Shop")
        self.handler = handler
        self.table = StreamTable(self.stack, "Orders", partition_key=KEY)
        self.function = StreamFunction(self.stack, "AuditFunction", entry=handler)

    def consume(self, name: str = "Audit", **given: Any) -> StreamConsumer:
        options = {"table": self.table, "function": self.function, **given}
        return StreamConsumer(self.stack, name, **options)

    def event_source(self) -> None:
        position = lambda_.StartingPosition.TRIM_HORIZON
        source = event_sources.DynamoEventSource(self.table, starting_position=position)
        self.function.add_event_source(source)


@pytest.fixture
def after(tmp_path: Path, handler_file: Path, context: dict[str, Any]) -> Callable[..., list[str]]:
    """Build a stack after another one; return the warnings of the second, without their ids."""

    def built(before: Build, now: Build, **changes: Any) -> list[str]:
        for build in (before, now):
            app = cdk.App(
                context=context | (changes if build is now else {}),
                outdir=str(tmp_path / "cdk.out"),
                analytics_reporting=False,
            )
            shop = Shop(app, handler_file)
            build(shop)
            if build is before:
                app.synth()
        found = assertions.Annotations.from_stack(shop.stack)
        every = found.find_warning("*", assertions.Match.any_value())
        return [str(each.entry.data) for each in every]

    return built


After = Callable[..., list[str]]


def ids(texts: list[str]) -> list[str]:
    return [text.rpartition("cdk-streams:")[2].rstrip("]") for text in texts]


def test_the_same_app_again_says_nothing(after: After) -> None:
    assert after(Shop.consume, Shop.consume) == []


def test_a_changed_setting_replaces_nothing(after: After) -> None:
    assert after(Shop.consume, lambda shop: shop.consume(batch_size=10)) == []


def test_a_changed_starting_position_is_refused_by_lambda(after: After) -> None:
    first = after(lambda shop: shop.consume(starting_position="LATEST"), Shop.consume)
    assert first == [
        (
            "starting_position was LATEST and becomes TRIM_HORIZON: CloudFormation creates the new "
            "mapping before it deletes the old one, Lambda refuses a second mapping of one "
            "function and stream, and the deployment rolls back. Keep the old mapping: leave its "
            "starting_position, which has no effect on a mapping that exists, and its logical id "
            "(event_source_mapping.override_logical_id), or deploy twice. "
            f"See {page('checks', 'MappingReplaced')} [ack: cdk-streams:MappingReplaced]"
        )
    ]


def test_the_advice_about_latest_is_not_the_step_that_fails() -> None:
    (rule,) = (each for each in RULES if each.id == "cdk-streams:StartsAtLatest")
    assert rule.fix == (
        "Set starting_position to TRIM_HORIZON before the first deployment; that of a mapping "
        "that exists cannot be changed in one deployment"
    )


def test_a_renamed_consumer_is_a_second_mapping_for_a_moment(after: After) -> None:
    texts = after(Shop.consume, lambda shop: shop.consume("Renamed"))
    assert ids(texts) == ["MappingReplaced"]
    assert texts[0].startswith(
        "the last template has AuditMapping37B6EA89 for the same stream and function: "
    )


def test_an_event_source_of_cdk_that_becomes_a_consumer_is_one_too(after: After) -> None:
    texts = after(Shop.event_source, Shop.consume)
    assert ids(texts) == ["MappingReplaced"]
    assert "AuditFunctionDynamoDBEventSource" in texts[0]


def test_a_consumer_that_takes_the_old_logical_id_replaces_nothing(after: After) -> None:
    (text,) = after(Shop.event_source, Shop.consume)
    old = text.partition("the last template has ")[2].partition(" ")[0]

    def adopt(shop: Shop) -> None:
        shop.consume().event_source_mapping.override_logical_id(old)

    assert after(Shop.event_source, adopt) == []


def test_the_first_of_two_deployments_says_nothing_nor_does_the_second(after: After) -> None:
    def nothing(_: Shop) -> None:
        """Between the two, no mapping is there."""

    assert after(Shop.event_source, nothing) == []
    assert after(nothing, Shop.consume) == []


def test_a_consumer_beside_the_event_source_is_a_second_mapping(after: After) -> None:
    def both(shop: Shop) -> None:
        shop.event_source()
        shop.consume()

    assert ids(after(Shop.event_source, both)) == ["SameMappingTwice"]


def test_another_table_replaces_the_mapping_and_loses_what_is_unread(after: After) -> None:
    def elsewhere(shop: Shop) -> None:
        shop.consume(table=StreamTable(shop.stack, "Archive", partition_key=KEY))

    texts = after(Shop.consume, elsewhere)
    assert ids(texts) == ["StreamReplaced"]
    assert texts[0].startswith("the mapping reads another stream than in the last template: ")


def test_another_function_is_an_update(after: After) -> None:
    def elsewhere(shop: Shop) -> None:
        shop.consume(function=StreamFunction(shop.stack, "Other", entry=shop.handler))

    assert after(Shop.consume, elsewhere) == []


def test_a_build_server_names_the_folder_of_the_last_assembly(after: After, tmp_path: Path) -> None:
    kept = tmp_path / "kept"

    def keep(shop: Shop) -> None:
        """Keep the first synthesis in another folder, as a build server does between builds."""
        shutil.copytree(tmp_path / "cdk.out", kept)
        (tmp_path / "cdk.out" / "Shop.template.json").unlink()
        shop.consume("Renamed")

    context = {"cdk-streams:last-assembly": str(kept)}
    assert ids(after(Shop.consume, keep, **context)) == ["MappingReplaced"]


def test_the_last_template_of_a_stage_is_found_too(
    tmp_path: Path, handler_file: Path, context: dict[str, Any]
) -> None:
    kept = tmp_path / "first"
    texts: list[str] = []
    for name, folder in (("Audit", kept), ("Renamed", tmp_path / "second")):
        app = cdk.App(
            context=context | {"cdk-streams:last-assembly": str(kept)},
            outdir=str(folder),
            analytics_reporting=False,
        )
        shop = Shop(cdk.Stage(app, "Production"), handler_file)
        shop.consume(name)
        app.synth()
        found = assertions.Annotations.from_stack(shop.stack)
        texts = [
            str(each.entry.data) for each in found.find_warning("*", assertions.Match.any_value())
        ]
    assert ids(texts) == ["MappingReplaced"]
