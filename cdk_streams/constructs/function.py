"""`StreamFunction`: a Lambda function whose code is a handler with `lambda_runtime` beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any, Final, NamedTuple, Unpack

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_streams._argument_checks import list_of_names
from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._bundle.function_code import Entry, function_code
from cdk_streams.constructs._bundle.requirements import Platform
from cdk_streams.constructs._props import FunctionOptions
from cdk_streams.constructs._registry import placement_of
from cdk_streams.errors import SourceError

__all__ = ["StreamFunction", "newest_python"]

_MEMORY_MB: Final = 256
_TIMEOUT_S: Final = 60


class StreamFunction(lambda_.Function):
    """A `Function` for a stream's records; no Docker is needed to build it.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        entry: The handler's Python file, or a folder that ships whole but for hidden files, keys,
            and what git ignores. What the handler imports from the rest of the project ships too.
            A relative path starts at the working directory, which for the cdk command is that of
            cdk.json.
        index: The file of a folder that defines the handler; an entry that is a file is its own.
        handler: The name of the handler in that file.
        requirements: A requirements file whose packages ship with the handler, installed for the
            function's Python and architecture. Each must be pinned, and have a wheel.
        exclude: Names or paths in the folder to leave out, as shell patterns: `["tests", "*.md"]`.
        include: Names or paths in the folder that ship although they are hidden, look like keys or
            are ignored by git: `["config/.env"]`.
        log_retention: How long logs are kept, in a log group of the function's own. Left out,
            CDK's setting for log groups holds. (CDK's own argument of this name would add a
            custom resource.)
        runtime: Left out, the newest Python that Lambda has.
        options: Everything else that `aws_lambda.Function` takes. `architecture` is ARM_64,
            `memory_size` 256 MB and `timeout` 60 s unless given: Lambda's 3 s are too short for a
            batch of 100 records.

    Raises:
        CodeError: The entry, its handler or a module that it imports is not there.
        SourceError: An argument of the wrong kind, such as one text for `exclude`.

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
        include: Sequence[str] = (),
        log_retention: logs.RetentionDays | None = None,
        runtime: lambda_.Runtime | None = None,
        **options: Unpack[FunctionOptions],
    ) -> None:
        _check_arguments(entry, handler, requirements, runtime, options)
        patterns = (_patterns("exclude", exclude), _patterns("include", include))
        defaults = _defaults()
        runtime = runtime or defaults.runtime
        assembly = _assembly_of(scope)
        code = function_code(
            Entry(
                *(Path(entry), index, handler, requirements, *patterns),
                has_layers=bool(options.get("layers")),
            ),
            _platform(runtime, options.get("architecture")),
            assembly,
        )
        folder, digest = staging.place(code.files, assembly, code.compiled)
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
            handler=code.handler,
            runtime=runtime,
            **chosen,
        )


def _check_arguments(
    entry: Any, handler: str, requirements: Any, runtime: Any, options: Mapping[str, Any]
) -> None:
    """Refuse what belongs to another construct of CDK, or would end in an error of CDK's."""
    if "code" in options:
        raise SourceError(
            "code must be left out, got one: entry names the handler's file or folder; "
            "use aws_lambda.Function for code of your own"
        )
    if not isinstance(entry, (str, PathLike)) or not str(entry):
        got = repr(entry) if isinstance(entry, str) else type(entry).__name__
        raise SourceError(
            f"entry must be the path of a Python file or a folder, got {got}; "
            'pass the path itself, such as entry="handlers/audit.py"'
        )
    if not isinstance(requirements, (str, PathLike, NoneType)):
        raise SourceError(
            "requirements must be the path of a requirements file, got "
            f"{type(requirements).__name__}; write the packages into a file, each pinned"
        )
    if not isinstance(handler, str):
        raise SourceError(
            f"handler must be the name of the handler in its file, got {type(handler).__name__}; "
            'pass the name, such as handler="handler"'
        )
    if "." in handler:
        raise SourceError(
            f"handler must be a name without its module, got {handler!r}; pass "
            f"handler={handler.rpartition('.')[2]!r}, the module is that of entry or index"
        )
    _check_platform(runtime, options.get("architecture"))
    environment = options.get("environment")
    if environment is not None:
        _check_environment(environment)


def _check_platform(runtime: Any, architecture: Any) -> None:
    """Refuse names in place of CDK's objects, and what runs no Python."""
    if not isinstance(runtime, (lambda_.Runtime, NoneType)):
        raise SourceError(
            f"runtime must be an aws_lambda.Runtime, got {runtime!r}; pass one such as "
            "runtime=aws_lambda.Runtime.PYTHON_3_13"
        )
    if runtime is not None and runtime.family is not lambda_.RuntimeFamily.PYTHON:
        raise SourceError(
            f"runtime must be one of Python, got {runtime.name}; lambda_runtime is a Python "
            "package: use aws_lambda.Function for a handler in another language"
        )
    if not isinstance(architecture, (lambda_.Architecture, NoneType)):
        raise SourceError(
            f"architecture must be an aws_lambda.Architecture, got {architecture!r}; "
            "pass architecture=aws_lambda.Architecture.ARM_64 or .X86_64"
        )


def _check_environment(given: Any) -> None:
    """Refuse values that are no text; their own text may be a secret and is not shown."""
    if not isinstance(given, Mapping):
        raise SourceError(
            f"environment must be a dict of texts, got {type(given).__name__}; write "
            '{"TABLE": table.table_name}'
        )
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise SourceError(
                f"environment must be a dict of texts, got {type(value).__name__} for {name!r}; "
                "write str(value)"
            )


def _patterns(name: str, given: Any) -> tuple[str, ...]:
    """Return shell patterns; None is none of them."""
    return () if given is None else list_of_names(name, given, what="shell patterns")


class _Defaults(NamedTuple):
    """The defaults of a function, as objects of CDK."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    timeout: Duration


@cache
def newest_python() -> lambda_.Runtime:
    """Return the newest Python that Lambda has: the runtime of every function made here."""
    return lambda_.Runtime.PYTHON_3_14


@cache
def _defaults() -> _Defaults:
    """Make the defaults once: each of these values costs a call to Node."""
    return _Defaults(newest_python(), lambda_.Architecture.ARM_64, Duration.seconds(_TIMEOUT_S))


def _assembly_of(scope: Construct) -> Path:
    folder = placement_of(scope).asset_folder
    if folder is None:
        raise SourceError(
            "a StreamFunction must stand in an App or Stage, got a scope in neither; create its "
            "Stack with an App as the scope"
        )
    return folder


def _platform(runtime: lambda_.Runtime, architecture: lambda_.Architecture | None) -> Platform:
    chosen = architecture or lambda_.Architecture.ARM_64
    return Platform(runtime.name.removeprefix("python"), chosen.name)
