from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.lambda_local import DeployedFunction, LogLine
from cdk_streams.live import CheckpointStore, DeployedConsumer, Notice, SynthesizedStack
from cdk_streams.local._local_app import (
    LocalApp,
    LocalRun,
    Step,
    _hastened,
    _step,
    _without_code,
    connection_variables,
    zip_of,
)
from cdk_streams.local._local_aws import LocalAws, LocalAwsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping


class NoObserver:
    def notice(self, consumer: str, at_ms: int, notice: Notice) -> None:
        pass

    def log(self, consumer: str, line: LogLine) -> None:
        pass


def stack(**properties: Any) -> tuple[SynthesizedStack, ...]:
    resource = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": {"S3Key": "1.zip"}, **properties},
        "Metadata": {"aws:asset:path": "asset.1"},
    }
    return (SynthesizedStack("shop", Path("cdk.out"), {"Resources": {"Audit": resource}}),)


def test_other_code_is_no_other_stack() -> None:
    assert _without_code(stack()) == _without_code(stack(Code={"S3Key": "2.zip"}))


def test_another_layer_is_another_stack() -> None:
    def layer(key: str) -> tuple[SynthesizedStack, ...]:
        resource = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Key": key}}}
        return (SynthesizedStack("shop", Path("cdk.out"), {"Resources": {"Layer": resource}}),)

    assert _without_code(layer("1.zip")) != _without_code(layer("2.zip"))


def test_a_folder_becomes_the_zip_file_that_lambda_takes(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "audit.py").write_text("1")
    os.utime(tmp_path / "orders" / "audit.py", (0, 0))
    with zipfile.ZipFile(io.BytesIO(zip_of(tmp_path))) as archive:
        assert archive.read("orders/audit.py") == b"1"
    packed = tmp_path / "asset.zip"
    packed.write_bytes(b"PK")
    assert zip_of(packed) == b"PK"


def test_a_local_aws_that_has_ended_ends_the_run(tmp_path: Path) -> None:
    aws = LocalAws("http://127.0.0.1:1", tmp_path, is_running=lambda: False)
    with CheckpointStore(tmp_path / "checkpoints") as checkpoints:
        run = LocalRun(LocalApp(tmp_path), aws, checkpoints, NoObserver())
        with pytest.raises(LocalAwsError, match="the local AWS has ended"):
            run.check()


def test_another_setting_is_another_stack() -> None:
    assert _without_code(stack(Timeout=3)) != _without_code(stack(Timeout=4))


def test_another_resource_is_another_stack() -> None:
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    more = SynthesizedStack("shop", Path("cdk.out"), queue)
    assert _without_code(stack()) != _without_code((*stack(), more))


def test_connection_variables_are_all_a_client_needs_and_no_more() -> None:
    aws = LocalAws("http://127.0.0.1:1", Path("folder"), region="eu-west-1")
    variables = connection_variables(aws)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_REGION"] == "eu-west-1"
    assert variables["AWS_ACCESS_KEY_ID"]
    assert all(name.startswith("AWS_") for name in variables)


def test_a_home_that_cannot_be_written_does_not_keep_the_app_from_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JSII_RUNTIME_PACKAGE_CACHE_ROOT", raising=False)
    aws = LocalAws("http://127.0.0.1:1", tmp_path)
    with CheckpointStore(tmp_path / "checkpoints") as checkpoints:
        run = LocalRun(LocalApp(tmp_path), aws, checkpoints, NoObserver())
        name = "JSII_RUNTIME_PACKAGE_CACHE_ROOT"
        assert name not in run._cdk().variables
        monkeypatch.setattr(os, "access", lambda _path, _mode: False)
        assert run._cdk().variables[name] == str(tmp_path / "jsii")


def hastened(app: LocalApp, **settings: Any) -> EventSourceMapping:
    mapping = EventSourceMapping(
        settings=MappingSettings(**settings), function_arn="f", stream_arn="s", uuid="u"
    )
    function = DeployedFunction(Path("code"), "audit.handler")
    return _hastened(DeployedConsumer("Audit", function, mapping), app).mapping


@pytest.mark.parametrize(("deployed", "run"), [(-1, 3), (20, 3), (1, 1)])
def test_retries_are_fewer_and_never_more_than_deployed(deployed: int, run: int) -> None:
    app = LocalApp(Path(), retries=3)
    assert hastened(app, retry_attempts=deployed).settings.retry_attempts == run
    assert hastened(LocalApp(Path()), retry_attempts=deployed).settings.retry_attempts == deployed


def test_a_time_scale_divides_the_maximum_record_age() -> None:
    assert hastened(LocalApp(Path(), time_scale=10), max_record_age=600).max_age_ms == 60_000


def test_a_step_is_told_when_it_begins_and_when_it_has_ended() -> None:
    told: list[Step] = []
    with _step(LocalApp(Path(), on_step=told.append), "deploying"):
        assert told == [Step("deploying")]
    assert [each.what for each in told] == ["deploying"] * 2
    assert told[1].took_s is not None
    assert 0 <= told[1].took_s < 10


def test_a_step_that_failed_has_not_ended() -> None:
    told: list[Step] = []
    with pytest.raises(ValueError, match="no disk"):  # noqa: SIM117 - the step is what is left
        with _step(LocalApp(Path(), on_step=told.append), "deploying"):
            raise ValueError("no disk")
    assert told == [Step("deploying")]
