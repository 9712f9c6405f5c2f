"""The pages that teach are true: their blocks run, their messages are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

import cdk_streams as streams
from cdk_streams.simulator import in_order, insert
from lambda_runtime._tables import conditional_writes
from lambda_runtime.replication import _requests

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NAMES = (
    *("how-lambda-reads-a-stream", "choose-settings", "migrate"),
    *("troubleshooting", "glossary", "compatibility", "upgrading", "fidelity"),
    *("tasks", "pipelines", "when-not-to-use", "why-these-defaults"),
)
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in NAMES}
LINKS = sorted(
    {
        (name, link)
        for name, text in PAGES.items()
        for link in re.findall(r"\]\(([^)]+)\)", text)
        if "://" not in link
    }
)
HEADINGS = re.findall(r"^### `(.+)`$", PAGES["troubleshooting"], re.MULTILINE)


def blocks(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGES[name], re.DOTALL)


def plain_function(stack: cdk.Stack, name: str) -> lambda_.Function:
    return lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
    )


@pytest.fixture
def orders(stack: cdk.Stack) -> dynamodb.TableV2:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    images = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
    return dynamodb.TableV2(stack, "Orders", partition_key=key, dynamo_stream=images)


def test_a_poison_record_under_four_settings_is_as_explained() -> None:
    (block,) = blocks("how-lambda-reads-a-stream")
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the page's own code, which asserts
    assert len(re.findall(r"^assert ", block, re.MULTILINE)) == 4


def test_an_assumption_is_tried_under_both_values_as_shown() -> None:
    (block,) = blocks("fidelity")
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the page's own code, which asserts
    assert len(re.findall(r"^assert ", block, re.MULTILINE)) == 2


def test_the_defaults_are_those_that_are_explained() -> None:
    (block,) = blocks("why-these-defaults")
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the page's own code, which asserts
    assert len(re.findall(r"^assert ", block, re.MULTILINE)) == 5


def test_the_presets_are_used_as_shown(stack: cdk.Stack, orders: dynamodb.TableV2) -> None:
    (block,) = blocks("choose-settings")
    names: dict[str, Any] = {"stack": stack, "orders": orders}
    names |= {each: plain_function(stack, f"{each}Function") for each in ("index", "ledger")}
    exec(block, names)  # noqa: S102 - the page's own code
    template = assertions.Template.from_stack(stack)
    template.resource_count_is("AWS::Lambda::EventSourceMapping", 2)
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {"BatchSize": 10, "MaximumRetryAttempts": assertions.Match.absent()},
    )


def test_an_event_source_becomes_a_consumer(stack: cdk.Stack, orders: dynamodb.TableV2) -> None:
    names: dict[str, Any] = {"stack": stack, "orders": orders}
    names["function"] = plain_function(stack, "Function")
    exec(blocks("migrate")[0], names)  # noqa: S102 - the page's own code
    assert isinstance(names["consumer"], streams.StreamConsumer)
    assert isinstance(names["consumer"].failure_queue, cdk.aws_sqs.Queue)


@pytest.mark.parametrize("number", [1, 2])
def test_the_handlers_of_before_and_after_handle_an_insert(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    block = blocks("migrate")[number]
    if "aws_lambda_powertools" in block:
        pytest.importorskip("aws_lambda_powertools", reason="Powertools is no dependency of ours")
    names: dict[str, Any] = {"__name__": "page"}
    exec(block, names)  # noqa: S102 - the page's own code
    event = {"Records": in_order(insert({"id": "o-1", "total": 5}, keys="id"))}
    assert names["handler"](event, None) == {"batchItemFailures": []}
    assert capsys.readouterr().out == "5\n"


@pytest.mark.parametrize("message", HEADINGS)
def test_a_message_is_one_of_the_code(message: str) -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("cdk_streams", "lambda_runtime")
        for path in sorted((ROOT / package).rglob("*.py"))
    )
    joined = re.sub(r'"\s*\n\s*f?"', "", sources)
    assert message in joined


def test_every_term_is_explained_once_and_in_order() -> None:
    terms = re.findall(r"^\| ([^|]+?) \| ", PAGES["glossary"], re.MULTILINE)[1:]
    assert len(terms) >= 20
    assert terms == sorted(set(terms))


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_to_a_page_and_its_heading(page: str, link: str) -> None:
    name, _, anchor = link.partition("#")
    path = DOCS / name if name else DOCS / f"{page}.md"
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    assert not anchor or anchor in anchors


def test_compatibility_names_the_versions_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = " ".join(project["project"]["dependencies"])
    (cdk,) = re.findall(r"aws-cdk-lib>=([\d.]+),<3", needed)
    (constructs,) = re.findall(r"constructs>=([\d.]+),<11", needed)
    (tried,) = re.findall(r"aws-cdk-lib==([\d.]+)", str(project["dependency-groups"]["dev"]))
    lowest = project["project"]["requires-python"].removeprefix(">=")
    page = PAGES["compatibility"]
    assert f"| `aws-cdk-lib` | {cdk} or newer, below 3 | {tried} for every change" in page
    assert f"| `constructs` | {constructs} or newer, below 11 |" in page
    assert f"| Python that synthesizes the app | {lowest} or newer |" in page


def test_upgrade_notes_name_each_attribute_that_replicas_write() -> None:
    written = {
        conditional_writes.SEQUENCE,
        conditional_writes.DELETED,
        conditional_writes.EXPIRES_AT,
    }
    written |= {_requests.OWNER, _requests.ORIGIN, _requests.VERSION}
    assert set(re.findall(r"`(_stream_\w+)`", PAGES["upgrading"])) == written
