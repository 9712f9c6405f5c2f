"""What `cdk-streams redrive` says when it is called wrongly, or where AWS cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import FakeAws

QUEUE = ("--queue", "https://sqs.eu-west-1.amazonaws.com/000000000000/failed")


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["redrive", *options])


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave boto3 without a Region, credentials and profiles."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "either --queue or --stack"),
        ((*QUEUE, "--stack", "Shop"), "either --queue or --stack"),
        (("--consumer", "Audit"), "either --queue or --stack"),
        ((*QUEUE, "--consumer", "Audit"), "--consumer chooses among the consumers of a stack"),
        (("--queue", ""), "Invalid value for '--queue': it must be a name, got ''"),
        (("--stack", " "), "Invalid value for '--stack': it must be a name, got ' '"),
        (("--stack", "Shop", "--consumer", ""), "Invalid value for '--consumer': it must be a"),
        ((*QUEUE, "--limit", "0"), "Invalid value for '--limit'"),
        ((*QUEUE, "--endpoint-url", "localhost"), "it must be a URL like http://localhost:4566"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(options: tuple[str, ...], why: str) -> None:
    answer = run(*options)
    assert answer.exit_code == 2
    assert why in answer.output


@pytest.mark.usefixtures("nothing_known")
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "no AWS Region found; name it with --region or AWS_DEFAULT_REGION"),
        (("--region", "eu-west-1"), "no AWS credentials found; log in, or name"),
        (("--region", "eu west"), "Provided region_name 'eu west' doesn't match"),
        (("--profile", "nobody"), "The config profile (nobody) could not be found"),
    ],
)
def test_what_boto3_lacks_is_told_in_a_sentence(options: tuple[str, ...], why: str) -> None:
    answer = run(*QUEUE, *options)
    assert answer.exit_code == 2
    assert isinstance(answer.exception, SystemExit)
    assert answer.output.startswith(f"Error: {why}")
    assert answer.output.count("\n") == 1


@pytest.mark.parametrize("queue", ["failed", "arn:aws:sns:us-east-1:000000000000:failed"])
def test_a_queue_is_named_by_its_url_or_arn(monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    monkeypatch.setattr(_aws, "aws", lambda *_: FakeAws().client)
    answer = run("--queue", queue)
    assert answer.exit_code == 2
    expected = f"Error: a queue must be named by its URL or its ARN, got {queue}\n"
    assert answer.output == expected


def test_an_unknown_stack_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_aws, "aws", lambda *_: FakeAws().client)
    answer = run("--stack", "Shop")
    assert answer.exit_code == 2
    assert "Error: there is no stack Shop in the account and Region" in answer.output


def test_an_endpoint_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9/")

    monkeypatch.setattr(_aws, "aws", fail)
    answer = run(*QUEUE)
    assert (answer.exit_code, answer.output.count("\n")) == (2, 1)
    assert "Could not connect to the endpoint URL" in answer.output


def test_a_call_is_never_repeated_by_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    config = _aws.aws(None, "eu-west-1", "http://127.0.0.1:9")("lambda").meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout > 900
