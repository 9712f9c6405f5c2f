"""docs/checks.md is true: of the two examples of each check, only the first has its finding."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb

import cdk_streams as streams
from cdk_streams._documentation import page
from cdk_streams.checks import RULES

ROOT = Path(__file__).parents[3]
INTRODUCTION, *PARTS = re.split(
    r"^### (\w+)$", (ROOT / "docs" / "checks.md").read_text(encoding="utf-8"), flags=re.MULTILINE
)
SECTIONS = dict(zip(PARTS[::2], PARTS[1::2], strict=True))
IDS = {each.id.removeprefix("cdk-streams:") for each in RULES}
OF_CONSTRUCTS = {"NewStream", "GlobalTable"}
AFTER_A_DEPLOYMENT = {"MappingReplaced", "StreamReplaced", "NewStream"}
# A function's own dead-letter queue is no finding as long as the mapping has a destination.
TOGETHER = {"DeadLetterOnFunction": ["NoFailureDestination", "DeadLetterOnFunction"]}


def blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def ids(texts: list[str]) -> list[str]:
    return re.findall(r"\[ack: cdk-streams:(\w+)\]", "\n".join(texts))


class Page:
    """An app in which a block of the page runs, and the findings in it."""

    def __init__(self, context: dict[str, Any], folder: Path) -> None:
        self._context = context
        self._folder = folder

    def app(self, name: str, **context: str) -> dict[str, Any]:
        app = cdk.App(
            context={**self._context, **context},
            outdir=str(self._folder / name),
            analytics_reporting=False,
        )
        return {"app": app, "stack": cdk.Stack(app, "Test")}

    def deploy(self) -> tuple[str, str]:
        """Return the folder of an app with a consumer, and the logical id of its mapping."""
        names = self.app("deployed")
        stack = self._with_a_table(names)["stack"]
        made = streams.StreamConsumer(
            stack, "Audit", table=names["orders"], function=names["function"]
        )
        logical_id = stack.resolve(made.event_source_mapping.logical_id)
        return names["app"].synth().directory, str(logical_id)

    def findings(self, block: str, *, after_a_deployment: bool = False) -> list[str]:
        last, logical_id = self.deploy() if after_a_deployment else ("", "")
        context = {"cdk-streams:last-assembly": last} if last else {}
        names = self.app("now", **context) | {"deployed_logical_id": logical_id}
        if 'StreamTable(stack, "Orders"' not in block:
            self._with_a_table(names)
        exec(blocks(INTRODUCTION)[-1] + block, names)  # noqa: S102 - the page's own code
        if "report" in names or "found" in names:
            found = names["report"].findings if "report" in names else names["found"]
            return [each.id.removeprefix("cdk-streams:") for each in found]
        stacks = [each for each in names["app"].node.children if isinstance(each, cdk.Stack)]
        every = assertions.Match.any_value()
        return [
            name
            for stack in stacks
            for name in ids(
                [
                    str(each.entry.data)
                    for each in assertions.Annotations.from_stack(stack).find_warning("*", every)
                ]
            )
        ]

    def _with_a_table(self, names: dict[str, Any]) -> dict[str, Any]:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        stack = names["stack"]
        names["orders"] = streams.StreamTable(stack, "Orders", partition_key=key)
        names["function"] = streams.StreamFunction(
            stack, "AuditFunction", entry="handlers/audit.py"
        )
        return names


@pytest.fixture
def findings(
    context: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "audit.py").write_text("def handler(event, context): ...\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return Page(context, tmp_path).findings


def test_each_check_has_one_section_in_the_order_of_the_code() -> None:
    assert [name for name in PARTS[::2] if name not in OF_CONSTRUCTS] == [
        each.id.removeprefix("cdk-streams:") for each in RULES
    ]
    assert set(SECTIONS) == IDS | OF_CONSTRUCTS
    assert len(PARTS) == 2 * len(SECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each.id)
def test_a_section_gives_the_reason_the_fix_and_the_id(rule: Any) -> None:
    section = SECTIONS[rule.id.removeprefix("cdk-streams:")]
    assert f"{rule.reason[1:]}." in section
    assert f"**What to do:** {rule.fix}." in section
    assert f"acknowledge this {rule.level}, name `{rule.id}`" in section


@pytest.mark.parametrize("name", SECTIONS)
def test_the_first_example_has_the_finding(findings: Callable[..., list[str]], name: str) -> None:
    bad, _ = blocks(SECTIONS[name])
    found = findings(bad, after_a_deployment=name in AFTER_A_DEPLOYMENT)
    assert found == TOGETHER.get(name, [name])


@pytest.mark.parametrize("name", SECTIONS)
def test_the_second_example_has_none(findings: Callable[..., list[str]], name: str) -> None:
    _, good = blocks(SECTIONS[name])
    assert findings(good, after_a_deployment=name in AFTER_A_DEPLOYMENT) == []


def test_a_page_is_named_by_its_file_until_the_site_has_an_address() -> None:
    assert page("checks", "NoStream", site="") == "docs/checks.md#nostream"
    site = "https://example.com/cdk-streams/"
    assert page("checks", "NoStream", site=site) == f"{site}checks.html#nostream"
