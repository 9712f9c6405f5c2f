"""What `backfill` and `compare` share: a source, a target, how both are reached, the transform."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cdk_streams.cli._command import CommandError
from cdk_streams.cli._options import check_endpoint, refuse_empty

if TYPE_CHECKING:
    from cdk_streams.data import Side
    from lambda_runtime.replication import Transform

__all__ = [
    "both_sides",
    "client_of",
    "load_transform_file",
    "load_view_file",
    "table_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_CONNECTIONS = 64


def _python_name(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    file, _, name = (value or "").rpartition(":")
    if value is not None and not (name.isidentifier() and file.endswith(".py")):
        raise click.BadParameter(
            f"it must be a Python file and a name in it, such as handlers/shape.py:shape, got "
            f"{value!r}",
            param=option,
        )
    return value


def table_options(command: _Command) -> _Command:
    """Add SOURCE, TARGET and the options that say how to reach them."""
    options = [
        click.argument("source", callback=refuse_empty),
        click.argument("target", callback=refuse_empty),
        click.option(
            "--transform",
            callback=_python_name,
            help="The replica's transform, such as handlers/shape.py:shape.",
        ),
        click.option(
            "--view",
            callback=_python_name,
            help="TARGET is that of a TableView: its view, such as handlers/totals.py:view.",
        ),
        click.option("--profile", help="Profile of the AWS configuration for the source."),
        click.option("--region", help="AWS Region of the source."),
        click.option("--endpoint-url", callback=check_endpoint, help="Endpoint of the source."),
        click.option(
            "--target-profile",
            show_default="that of the source",
            help="Profile for the target, which may be in another account.",
        ),
        click.option(
            "--target-region",
            show_default="that of the source",
            help="AWS Region of the target.",
        ),
        click.option(
            "--target-endpoint-url",
            callback=check_endpoint,
            show_default="that of the source",
            help="Endpoint of the target.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def both_sides(options: dict[str, Any]) -> tuple[Side, Side]:
    """Describe the source and the target."""
    from cdk_streams.data import side_of  # noqa: PLC0415 - not for --help

    profile, region, endpoint = (options[name] for name in ("profile", "region", "endpoint_url"))
    source = side_of(client_of("dynamodb", profile, region, endpoint), options["source"])
    target = side_of(
        client_of(
            "dynamodb",
            options["target_profile"] or profile,
            options["target_region"] or region,
            options["target_endpoint_url"] or endpoint,
        ),
        options["target"],
    )
    if (source.arn, source.table) == (target.arn, target.table) and not (
        options["target_endpoint_url"] or options["target_region"] or options["target_profile"]
    ):
        raise click.UsageError(
            f"the target must be another table than the source, got {source.table}"
        )
    return source, target


def client_of(service: str, profile: str | None, region: str | None, endpoint: str | None) -> Any:
    """Make a client that waits longer and longer when a table is throttled."""
    import boto3  # noqa: PLC0415 - not for --help
    from botocore.config import Config  # noqa: PLC0415 - the same

    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": 10},
        max_pool_connections=_CONNECTIONS,
        # What is written comes from a table or was checked.
        parameter_validation=False,
    )
    session: Any = boto3.Session(profile_name=profile, region_name=region)
    return session.client(service, endpoint_url=endpoint, config=config)


def load_transform_file(given: str | None) -> Transform | None:
    """Import `file.py:function`; files beside it can be imported by it."""
    if given is None:
        return None
    from lambda_runtime.replication import load_transform  # noqa: PLC0415 - see above

    transform: Transform = _loaded(load_transform, "transform", given)
    return transform


def load_view_file(given: str | None) -> Any:
    """Import the view `file.py:name`; files beside it can be imported by it."""
    if given is None:
        return None
    from lambda_runtime.views import load_view  # noqa: PLC0415 - see above

    return _loaded(load_view, "view", given)


def _loaded(load: Callable[[str], Any], what: str, given: str) -> Any:
    """Import `file.py:name` as `file:name`, as in the function."""
    path, _, name = given.rpartition(":")
    file = Path(path).resolve()
    if not file.is_file():
        raise CommandError(
            f"the {what} must stand in a Python file, got {path}, which is not there"
        )
    sys.path.insert(0, str(file.parent))
    from lambda_runtime.errors import StreamRuntimeError  # noqa: PLC0415 - not for --help

    try:
        return load(f"{file.stem}:{name}")
    except StreamRuntimeError:
        raise
    except SystemExit:
        why = "the file ends its process (sys.exit)"
    except Exception as error:  # noqa: BLE001 - whatever the file raises is its author's to see
        why = f"{type(error).__name__}: {error}"
    raise CommandError(f"the {what} {given} could not be imported: {why}")
