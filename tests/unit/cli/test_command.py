from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_streams.cli import main


def test_the_command_says_what_it_can_do() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    assert "local" in answer.output


def test_local_explains_its_options() -> None:
    answer = CliRunner().invoke(main, ["local", "--help"])
    assert answer.exit_code == 0
    for option in ("--app", "--run", "--keep", "--timeline", "--calls"):
        assert option in answer.output


def test_a_folder_that_is_not_there_is_refused_before_anything_starts() -> None:
    answer = CliRunner().invoke(main, ["local", "--app", "there-is-no-such-folder"])
    assert answer.exit_code == 2
    assert "does not exist" in answer.output


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "the app's folder must have a cdk.json, got none in"),
        (("--cdk", "'unclosed"), 'it must be a command, got "\'unclosed": No closing quotation'),
        (("--cdk", " "), "it must be a command, got ' '"),
        (("--timeline", "no-such-folder/run.html"), "it cannot be written: "),
        (("--time-scale", "0.5"), "0.5 is not in the range 1<=x<=1000"),
        (("--retries", "-1"), "-1 is not in the range 0<=x<=10000"),
        (("--timeline", "."), "'.' is a directory"),
    ],
)
def test_wrong_usage_of_local_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["local", *options])
    assert answer.exit_code == 2
    assert why in answer.output


@pytest.mark.parametrize("missing", ["watchfiles", "ministack", "awslambdaric"])
def test_local_without_its_extra_is_one_sentence(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "cdk_streams.cli._local.command.find_spec", lambda name: None if name == missing else name
    )
    answer = CliRunner().invoke(main, ["local"])
    assert answer.exit_code == 2
    assert answer.output == (
        f"Error: cdk-streams local needs {missing}, which is not installed; "
        "pip install 'cdk-streams[local]'\n"
    )


def test_help_pays_for_neither_boto3_nor_aws_cdk() -> None:
    code = (
        "import sys; import cdk_streams.cli; "
        "sys.exit(any(name in sys.modules for name in ('boto3', 'aws_cdk', 'rich')))"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)  # noqa: S603 - this Python


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("command", ["check", "explain"])
def test_output_that_cannot_be_written_is_one_line(command: str, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    mapping = {
        "EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/label",
        "FunctionName": "audit",
        "StartingPosition": "LATEST",
        "BatchSize": 2,
    }
    resource = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}
    path.write_text(json.dumps({"Resources": {"Mapping": resource}}), encoding="utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, "-m", "cdk_streams", command, str(path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    assert ended.returncode == 2
    assert ended.stderr == "Error: the output cannot be written: No space left on device\n"
