"""docs/security.md is true: cdk-nag finds what its table says, in these stacks, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import aws_cdk as cdk

PAGE = (Path(__file__).parent.parent / "docs" / "security.md").read_text(encoding="utf-8")
EXPLAINED = set(re.findall(r"^\| `(AwsSolutions-\w+)` \|", PAGE, re.MULTILINE))


def sample(app: cdk.App) -> cdk.Stack:
    stack: cdk.Stack = import_module("sample_app.stack").OrdersStack(app, "Orders")
    return stack


def every_feature(app: cdk.App) -> cdk.Stack:
    module = import_module("examples.every_feature.stack")
    stack: cdk.Stack = module.EveryFeatureStack(app, "EveryFeature", region="eu-west-1")
    return stack


def elsewhere(app: cdk.App) -> cdk.Stack:
    module = import_module("examples.every_feature.elsewhere")
    stack: cdk.Stack = module.ElsewhereStack(app, "Elsewhere", region="eu-west-1")
    return stack


def events(app: cdk.App) -> cdk.Stack:
    stack: cdk.Stack = import_module("examples.events.app").EventsStack(app, "Events")
    return stack


def view(app: cdk.App) -> cdk.Stack:
    stack: cdk.Stack = import_module("examples.view.app").ViewStack(app, "View")
    return stack


def replica(app: cdk.App) -> cdk.Stack:
    stack: cdk.Stack = import_module("examples.replica.app").ReplicaStack(app, "Replica")
    return stack


def distributed_backfill(app: cdk.App) -> cdk.Stack:
    core, streams = import_module("aws_cdk"), import_module("cdk_streams")
    dynamodb = import_module("aws_cdk.aws_dynamodb")
    stack: cdk.Stack = core.Stack(app, "Backfill")
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    recovery = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
    options = {"partition_key": key, "point_in_time_recovery_specification": recovery}
    streams.TableReplica(
        stack,
        "Replica",
        source=streams.StreamTable(stack, "Orders", **options),
        target=dynamodb.TableV2(stack, "Copy", **options),
        backfill=streams.Backfill.DISTRIBUTED,
    )
    return stack


STACKS: list[Callable[[cdk.App], cdk.Stack]] = [
    sample,
    every_feature,
    elsewhere,
    events,
    view,
    replica,
    distributed_backfill,
]


def findings(app: cdk.App) -> set[str]:
    """Run the AwsSolutions pack; return what it finds as `rule[what]`."""
    core, nag = import_module("aws_cdk"), import_module("cdk_nag")
    core.Validations.of(app).add_plugins(nag.AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        # This is how a finding reaches Python; what was found stands in the report.
        assert str(error).startswith("ValidationFailed")  # noqa: PT017 - or it is a fault
    report: dict[str, Any] = json.loads(
        Path(app.outdir, "validation-report.json").read_text(encoding="utf-8")
    )
    return {
        violation["ruleName"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
    }


@pytest.mark.parametrize("make", STACKS)
def test_the_page_explains_every_finding_of_cdk_nag(
    app: cdk.App, make: Callable[[cdk.App], cdk.Stack]
) -> None:
    make(app)
    found = {rule.partition("[")[0] for rule in findings(app)}
    assert found
    assert found <= EXPLAINED


def test_the_page_explains_nothing_that_is_not_found(context: dict[str, Any]) -> None:
    found: set[str] = set()
    for make in STACKS:
        app = import_module("aws_cdk").App(context=context, analytics_reporting=False)
        make(app)
        found |= {rule.partition("[")[0] for rule in findings(app)}
    assert found == EXPLAINED


@pytest.mark.parametrize("make", STACKS)
def test_acknowledged_there_is_no_finding_left(
    app: cdk.App, make: Callable[[cdk.App], cdk.Stack], context: dict[str, Any], tmp_path: Path
) -> None:
    make(app)
    found = findings(app)
    core = import_module("aws_cdk")
    again = core.App(context=context, outdir=str(tmp_path / "again"), analytics_reporting=False)
    stack = make(again)
    reason = "docs/security.md says why"
    for rule in sorted(found):
        core.Validations.of(stack).acknowledge(core.Acknowledgment(id=rule, reason=reason))
    assert findings(again) == set()
