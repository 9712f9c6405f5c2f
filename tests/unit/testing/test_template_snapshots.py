"""What a snapshot of a template masks, what it shows, and what is said without syrupy."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from cdk_streams.testing import masked_template

HASH = "0123456789abcdef" * 4
TEST = """
import pytest
from cdk_streams.testing import TemplateSnapshots

class Template:
    def to_json(self):
        return {"Code": "%s.zip", "MemorySize": %d}

def test_it(snapshot):
    assert Template() == snapshot.use_extension(TemplateSnapshots)
"""

pytest_plugins = ["pytester"]


def test_hashes_and_versions_are_masked_wherever_they_stand() -> None:
    version = "NotifyCurrentVersion0B7A1C9D" + "0123456789abcdef" * 2
    template: dict[str, Any] = {
        "Resources": {
            version: {"Properties": {"S3Key": f"{HASH}.zip"}},
            "Alias": {"Properties": {"FunctionVersion": {"Fn::GetAtt": [version, "Version"]}}},
            "CDKMetadata": {"Properties": {"Analytics": "v2:deflate64:H4sIAAAA/+8z0A=="}},
        }
    }

    masked = "NotifyCurrentVersion0B7A1C9D<version hash>"
    assert masked_template(template) == {
        "Resources": {
            masked: {"Properties": {"S3Key": "<asset hash>.zip"}},
            "Alias": {"Properties": {"FunctionVersion": {"Fn::GetAtt": [masked, "Version"]}}},
            "CDKMetadata": {"Properties": {"Analytics": "<analytics>"}},
        }
    }


@pytest.mark.parametrize("value", [HASH[:-1], HASH + "0", "OrdersTable0B7A1C9D", "v2:3", 64])
def test_everything_else_stays(value: object) -> None:
    assert masked_template({"Value": value}) == {"Value": value}


def test_a_snapshot_outlives_an_edit_of_a_handler_and_shows_a_setting(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    failed: list[int] = []
    for code, memory, *update in (
        (HASH, 128, "--snapshot-update"),
        (HASH[::-1], 128),
        (HASH, 256),
    ):
        path = pytester.makepyfile(test_snapshot=TEST % (code, memory))
        result = pytester.runpytest_inprocess(
            "-p", "syrupy", "-p", "no:cacheprovider", str(path), *map(str, update)
        )
        failed.append(result.parseoutcomes().get("failed", 0))

    assert failed == [0, 0, 1]
    (stored,) = pytester.path.glob("__snapshots__/test_snapshot/*.json")
    assert "<asset hash>.zip" in stored.read_text(encoding="utf-8")


def test_without_syrupy_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['syrupy'] = None\n"
        "from cdk_streams import testing\n"
        "testing.masked_template({})\n"
        "testing.TemplateSnapshots"
    )

    found = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert found.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: cdk_streams.testing needs syrupy, which is not installed; "
        "pip install 'cdk-streams[testing]'"
    )
