from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from cdk_streams import SourceError, StreamFunction
from cdk_streams.constructs._bundle import runtime_package
from cdk_streams.constructs._props import FunctionOptions

FUNCTION = "AWS::Lambda::Function"
Resources = Callable[..., dict[str, Any]]


def asset_of(entry: Path, tmp_path: Path, name: str, **options: Any) -> str:
    """Return the asset's hash, as one app of its own makes it."""
    app = cdk.App(outdir=str(tmp_path / f"out-{name}"))
    StreamFunction(cdk.Stack(app, "S"), "F", entry=entry, **options)
    (asset,) = (tmp_path / f"out-{name}").glob("asset.*")
    return asset.name


def properties_of(stack: cdk.Stack, resources_of: Resources) -> dict[str, Any]:
    (body,) = resources_of(stack, FUNCTION).values()
    properties: dict[str, Any] = body["Properties"]
    return properties


def test_the_defaults_suit_a_stream(
    stack: cdk.Stack, resources_of: Resources, handler_file: Path
) -> None:
    StreamFunction(stack, "Audit", entry=handler_file)
    properties = properties_of(stack, resources_of)
    assert {name: properties[name] for name in ("Handler", "Runtime", "Timeout", "MemorySize")} == {
        "Handler": "audit.handler",
        "Runtime": "python3.14",
        "Timeout": 60,
        "MemorySize": 256,
    }
    assert properties["Architectures"] == ["arm64"]


def test_each_default_can_be_overridden(
    stack: cdk.Stack, resources_of: Resources, handler_file: Path
) -> None:
    StreamFunction(
        stack,
        "Audit",
        entry=handler_file,
        runtime=lambda_.Runtime.PYTHON_3_12,
        architecture=lambda_.Architecture.X86_64,
        memory_size=512,
        timeout=cdk.Duration.minutes(5),
        reserved_concurrent_executions=3,
    )
    properties = properties_of(stack, resources_of)
    assert properties["Runtime"] == "python3.12"
    assert properties["Architectures"] == ["x86_64"]
    assert (properties["MemorySize"], properties["Timeout"]) == (512, 300)
    assert properties["ReservedConcurrentExecutions"] == 3


def test_the_runtime_ships_beside_the_handler(
    stack: cdk.Stack, tmp_path: Path, handler_file: Path
) -> None:
    StreamFunction(stack, "Audit", entry=handler_file)
    (asset,) = (tmp_path / "cdk.out").glob("asset.*")
    assert sorted(path.name for path in asset.iterdir()) == ["audit.py", "lambda_runtime"]
    assert (asset / "lambda_runtime" / "_routing" / "router.py").is_file()


def test_a_folder_ships_whole_with_its_index(
    stack: cdk.Stack, resources_of: Resources, tmp_path: Path
) -> None:
    folder = tmp_path / "audit"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "main.py").write_text("def run(event, context): ...\n")
    StreamFunction(stack, "Audit", entry=folder, index="app/main.py", handler="run")
    assert properties_of(stack, resources_of)["Handler"] == "app.main.run"


def test_the_asset_depends_on_content_alone(tmp_path: Path, handler_file: Path) -> None:
    before = asset_of(handler_file, tmp_path, "before")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copied = Path(shutil.copy(handler_file, elsewhere))
    (elsewhere / "__pycache__").mkdir()
    (elsewhere / "__pycache__" / "audit.cpython-311.pyc").write_bytes(b"cache")
    os.utime(copied, (1, 1))
    copied.chmod(0o600)
    assert asset_of(copied, tmp_path, "after") == before


def test_a_folder_s_asset_ignores_its_caches(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "index.py").write_text("def handler(event, context): ...\n")
    before = asset_of(folder, tmp_path, "before")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "index.cpython-311.pyc").write_bytes(b"cache")
    assert asset_of(folder, tmp_path, "after") == before


def test_the_asset_changes_with_the_handler(tmp_path: Path, handler_file: Path) -> None:
    before = asset_of(handler_file, tmp_path, "before")
    handler_file.write_text("def handler(event, context):\n    return {}\n")
    assert asset_of(handler_file, tmp_path, "after") != before


def test_the_asset_changes_with_the_runtime(
    tmp_path: Path, handler_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asset_of(handler_file, tmp_path, "before")
    files = runtime_package.runtime_files()
    files["lambda_runtime/_routing/router.py"] += b"# one byte more\n"
    monkeypatch.setattr(runtime_package, "runtime_files", lambda *_: files)
    assert asset_of(handler_file, tmp_path, "after") != before


def test_functions_of_the_same_files_share_an_asset(
    stack: cdk.Stack, tmp_path: Path, handler_file: Path
) -> None:
    StreamFunction(stack, "One", entry=handler_file)
    StreamFunction(stack, "Two", entry=handler_file)
    assert len(list((tmp_path / "cdk.out").glob("asset.*"))) == 1


def test_without_cdk_s_staging_the_files_outlive_the_synthesis(
    tmp_path: Path, handler_file: Path
) -> None:
    app = cdk.App(
        context={"aws:cdk:disable-asset-staging": True, "aws:cdk:enable-asset-metadata": True},
        outdir=str(tmp_path / "out"),
    )
    stack = cdk.Stack(app, "S")
    StreamFunction(stack, "F", entry=handler_file)
    app.synth()
    (folder,) = (tmp_path / "out" / "cdk-streams").iterdir()
    assert (folder / "audit.py").read_bytes() == handler_file.read_bytes()


def test_log_retention_is_a_log_group_and_no_custom_resource(
    stack: cdk.Stack, resources_of: Resources, handler_file: Path
) -> None:
    StreamFunction(stack, "Audit", entry=handler_file, log_retention=logs.RetentionDays.ONE_MONTH)
    (group,) = resources_of(stack, "AWS::Logs::LogGroup").values()
    assert group["Properties"] == {"RetentionInDays": 30}
    assert properties_of(stack, resources_of)["LoggingConfig"]["LogGroup"]
    assert len(resources_of(stack, FUNCTION)) == 1


def test_it_takes_every_option_of_function_that_still_has_a_meaning() -> None:
    ours = {*inspect.signature(StreamFunction.__init__).parameters}
    ours |= {*FunctionOptions.__annotations__}
    theirs = {*inspect.signature(lambda_.Function.__init__).parameters}
    # The code is the entry, and the last two tune the custom resource that log_retention avoids.
    assert theirs - ours == {"code", "log_retention_retry_options", "log_retention_role"}


def refusal(stack: cdk.Stack, entry: Path | str, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        StreamFunction(stack, "Audit", entry=entry, **options)
    assert stack.node.children == []
    return str(caught.value)


def test_an_entry_that_is_not_there_is_refused(
    stack: cdk.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(stack, "handlers/audit.py") == (
        "entry must be a Python file or a folder, got 'handlers/audit.py', which is not there; "
        f"relative paths start at {str(tmp_path)!r}"
    )


def test_an_entry_that_is_no_python_is_refused(stack: cdk.Stack, tmp_path: Path) -> None:
    path = tmp_path / "audit.js"
    path.write_text("")
    assert refusal(stack, path) == (
        f"entry must be a Python file or a folder, got {str(path)!r}; "
        "name the .py file that defines the handler"
    )


def test_a_handler_that_is_not_defined_is_refused(stack: cdk.Stack, handler_file: Path) -> None:
    assert refusal(stack, handler_file, handler="main") == (
        "handler must be a name that audit.py defines, got 'main'; "
        "define it (`main = router.handler`) or pass handler="
    )


def test_an_index_that_is_not_there_is_refused(stack: cdk.Stack, handler_file: Path) -> None:
    assert refusal(stack, handler_file.parent) == (
        f"index must name a Python file of {str(handler_file.parent)!r}, got 'index.py'; "
        "it has audit.py"
    )


def test_an_entry_with_a_runtime_of_its_own_is_refused(
    stack: cdk.Stack, handler_file: Path
) -> None:
    (handler_file.parent / "lambda_runtime.py").write_text("")
    assert refusal(stack, handler_file.parent, index="audit.py") == (
        f"entry must leave the name lambda_runtime free, got one in {str(handler_file.parent)!r}; "
        "remove it, StreamFunction adds its own"
    )


def test_two_log_settings_are_refused(stack: cdk.Stack, handler_file: Path) -> None:
    group = logs.LogGroup(cdk.Stack(cdk.App(), "Other"), "Logs")
    assert refusal(
        stack, handler_file, log_retention=logs.RetentionDays.ONE_DAY, log_group=group
    ) == (
        "log_retention must be left out when log_group is given; "
        "set the retention on that log group"
    )
