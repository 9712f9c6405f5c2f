"""The options that several subcommands take, said and checked the same way in each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = [
    "FiniteRange",
    "aws_options",
    "check_endpoint",
    "json_option",
    "quiet_option",
    "refuse_empty",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A range of numbers; `nan`, which is in no range, and `inf` are refused too."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"it must be a finite number, got {value!r}", param, ctx)
        return number


def check_endpoint(
    _context: click.Context, option: click.Parameter, value: str | None
) -> str | None:
    """Refuse an endpoint that is no URL."""
    if value is not None and not _is_url(value):
        raise click.BadParameter(
            f"it must be a URL like http://localhost:4566, got {value!r}", param=option
        )
    return value


def _is_url(value: str) -> bool:
    if not value.startswith(("http://", "https://")):
        return False
    from botocore.utils import is_valid_endpoint_url  # noqa: PLC0415 - not for --help

    try:
        return bool(is_valid_endpoint_url(value))
    except ValueError:  # An IPv6 address that is never closed.
        return False


def refuse_empty(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse what a shell makes of a variable that is not set: it must not mean everything."""
    if value is not None and not value.strip():
        raise click.BadParameter(f"it must be a name, got {value!r}", param=option)
    return value


def aws_options(command: _Command) -> _Command:
    """Add --profile, --region and --endpoint-url: how AWS is reached."""
    options = [
        click.option("--profile", help="Profile of the AWS configuration, as boto3 reads it."),
        click.option("--region", help="AWS Region, when the profile or environment does not say."),
        click.option(
            "--endpoint-url",
            callback=check_endpoint,
            help="Another endpoint than AWS, for every service.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON object."
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress, only the result.")
