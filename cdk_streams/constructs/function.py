"""`StreamFunction`: a Lambda function whose code is a handler with `lambda_runtime` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple, Unpack

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_streams.constructs._bundle import entry_files, python_source, runtime_package, staging
from cdk_streams.constructs._bundle.requirements import Platform, install
from cdk_streams.constructs._props import FunctionOptions
from cdk_streams.constructs._registry import placement_of
from cdk_streams.errors import SourceError

__all__ = ["StreamFunction"]

_MEMORY_MB: Final = 256
_TIMEOUT_S: Final = 60


class StreamFunction(lambda_.Function):
    """A `Function` for a stream's records; no Docker is needed to build it.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        entry: The handler's Python file, or a folder with everything it imports. A relative path
            starts at the working directory, which for the cdk command is that of cdk.json.
        index: The file of a folder that defines the handler; an entry that is a file is its own.
        handler: The name of the handler in that file.
        requirements: A requirements file whose packages ship with the handler, installed for the
            function's Python and architecture. Each must be pinned, and have a wheel.
        exclude: Names in the folder to leave out, as shell patterns: `["tests", "*.md"]`.
        log_retention: How long logs are kept, in a log group of the function's own. Left out,
            CDK's setting for log groups holds. (CDK's own argument of this name would add a
            custom resource.)
        runtime: Python 3.14 by default, the newest that Lambda has.
        options: Everything else that `aws_lambda.Function` takes. `architecture` is ARM_64,
            `memory_size` 256 MB and `timeout` 60 s unless given: Lambda's 3 s are too short for a
            batch of 100 records.

    Raises:
        SourceError: The entry or its handler is not there.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - the name CDK gives it, so that Function(...) can be replaced
        *,
        entry: str | PathLike[str],
        index: str = "index.py",
        handler: str = "handler",
        requirements: str | PathLike[str] | None = None,
        exclude: Sequence[str] = (),
        log_retention: logs.RetentionDays | None = None,
        runtime: lambda_.Runtime | None = None,
        **options: Unpack[FunctionOptions],
    ) -> None:
        files = entry_files.collect(Path(entry), exclude)
        index = Path(entry).name if Path(entry).is_file() else index
        _check_handler(files, index, handler, Path(entry))
        defaults = _defaults()
        runtime = runtime or defaults.runtime
        assembly = _assembly_of(scope)
        if requirements is not None:
            platform = _platform(runtime, options.get("architecture"))
            packages = install(Path(requirements), platform, assembly / "cdk-streams")
            _check_apart(files, packages)
            files |= packages
        files |= runtime_package.runtime_files(files)
        folder, digest = staging.place(files, assembly)
        chosen: dict[str, Any] = {
            "architecture": defaults.architecture,
            "memory_size": _MEMORY_MB,
            "timeout": defaults.timeout,
            **options,
        }
        if log_retention is not None:
            if options.get("log_group") is not None:
                raise SourceError(
                    "log_retention must be left out when log_group is given; "
                    "set the retention on that log group"
                )
            chosen["log_group"] = logs.LogGroup(scope, f"{id}Logs", retention=log_retention)
        super().__init__(
            scope,
            id,
            code=lambda_.Code.from_asset(str(folder), asset_hash=digest),
            handler=f"{index.removesuffix('.py').replace('/', '.')}.{handler}",
            runtime=runtime,
            **chosen,
        )


class _Defaults(NamedTuple):
    """What a function is unless told otherwise, as objects of CDK."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    timeout: Duration


@cache
def _defaults() -> _Defaults:
    """Make the defaults once: each of these values costs a call to Node."""
    return _Defaults(
        lambda_.Runtime.PYTHON_3_14, lambda_.Architecture.ARM_64, Duration.seconds(_TIMEOUT_S)
    )


def _assembly_of(scope: Construct) -> Path:
    folder = placement_of(scope).asset_folder
    if folder is None:
        raise SourceError("a StreamFunction must stand in an App or Stage, got a scope in neither")
    return folder


def _platform(runtime: lambda_.Runtime, architecture: lambda_.Architecture | None) -> Platform:
    chosen = architecture or lambda_.Architecture.ARM_64
    return Platform(runtime.name.removeprefix("python"), chosen.name)


def _check_apart(files: dict[str, bytes], packages: dict[str, bytes]) -> None:
    if both := sorted(files.keys() & packages.keys()):
        raise SourceError(
            f"requirements must not bring files that the handler has, got {both[0]!r} in both; "
            "rename the handler's"
        )


def _check_handler(files: dict[str, bytes], index: str, handler: str, entry: Path) -> None:
    if index not in files:
        shown = ", ".join(sorted(name for name in files if name.endswith(".py"))[:5]) or "none"
        raise SourceError(
            f"index must name a Python file of {str(entry)!r}, got {index!r}; it has {shown}"
        )
    names = python_source.defined_names(files[index])
    if names is not None and handler not in names:
        raise SourceError(
            f"handler must be a name that {index} defines, got {handler!r}; "
            f"define it (`{handler} = router.handler`) or pass handler="
        )
    ours = runtime_package.RUNTIME
    if any(name.split("/")[0] in {ours, f"{ours}.py"} for name in files):
        raise SourceError(
            f"entry must leave the name {ours} free, got one in {str(entry)!r}; "
            "remove it, StreamFunction adds its own"
        )
