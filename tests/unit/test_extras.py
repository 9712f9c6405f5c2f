"""What an installation without an extra says when it is asked for more than it holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_streams._extras import EXTRA_OF
from cdk_streams.cli import main

ROOT = Path(__file__).parents[2]
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
# Modules that go by another name than their package.
PACKAGE_OF = {"botocore": "boto3", "yaml": "pyyaml"}
# Loads the constructs and synthesizes a consumer, then runs a handler in the simulator.
WITHOUT_BOTO3 = """
import sys
sys.modules["boto3"] = sys.modules["botocore"] = None
from aws_cdk import App, Stack
from aws_cdk.aws_dynamodb import Attribute, AttributeType
import cdk_streams as streams
from cdk_streams.simulator import insert, simulate
app = App()
stack = Stack(app, "Shop")
orders = streams.StreamTable(
    stack, "Orders", partition_key=Attribute(name="id", type=AttributeType.STRING)
)
function = streams.StreamFunction(stack, "Notify", entry=sys.argv[1])
streams.StreamConsumer(stack, "Consumer", table=orders, function=function)
app.synth()
run = simulate(lambda event, context: None, [insert({"id": "o-1"}, keys="id")])
print(len(run.invocations), "invocation")
"""


def test_each_module_of_an_extra_is_in_the_extra_that_the_sentence_names() -> None:
    for module, extra in EXTRA_OF.items():
        package = PACKAGE_OF.get(module, module)
        names = [re.split(r"[\[<>=]", one)[0] for one in EXTRAS[extra]]
        assert package in names


def test_the_extra_local_includes_the_extra_cli() -> None:
    assert "cdk-streams[cli]" in EXTRAS["local"]


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("package", "name"), [("cdk_streams.testing", "FakeStreams"), ("cdk_streams.live", "drive")]
)
def test_a_name_that_needs_boto3_says_what_to_install(package: str, name: str) -> None:
    code = f"import sys; sys.modules['botocore'] = None; from {package} import {name}"
    assert run(code).stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: {package} needs botocore, which is not installed; "
        "pip install 'cdk-streams[cli]'"
    )


def test_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdk_streams.cli.find_spec", lambda name: None if name == "boto3" else name)
    answer = CliRunner().invoke(main, ["check", "no-such-template.json"])
    assert answer.exit_code == 2
    assert answer.output == (
        "Error: the cdk-streams command needs boto3, which is not installed; "
        "pip install 'cdk-streams[cli]'\n"
    )


def test_stacks_and_handler_tests_need_no_boto3(tmp_path: Path) -> None:
    entry = tmp_path / "notify.py"
    entry.write_text("def handler(event, context):\n    return None\n", encoding="utf-8")
    done = run(WITHOUT_BOTO3, str(entry))
    assert done.stdout == "1 invocation\n", done.stderr
