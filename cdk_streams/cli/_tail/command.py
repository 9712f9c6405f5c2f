"""The command line of `cdk-streams tail`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cdk_streams.cli._command import CommandError, command
from cdk_streams.cli._options import aws_options, quiet_option, refuse_empty

if TYPE_CHECKING:
    from cdk_streams.live import Client

__all__ = ["tail"]

# A shard can be read five times a second by all of its readers together.
_WAIT_S: Final = 1.0


@command(short_help="Follow the changes of a table, decoded.")
@click.argument("source", metavar="TABLE|STREAM|STACK/CONSUMER", callback=refuse_empty)
@click.option(
    "--from",
    "start",
    type=click.Choice(["now", "horizon"]),
    default="now",
    show_default=True,
    help="Where to begin: with the next change, or with the oldest that the stream has.",
)
@click.option(
    "--where",
    help="Only changes that fulfil this condition, such as 'status = \"PAID\" AND total > 100'.",
)
@click.option(
    "--filter", "pattern", help="Only changes that match this filter pattern, as Lambda takes it."
)
@click.option("--limit", type=click.IntRange(min=1), help="End after so many changes.")
@click.option("--no-follow", is_flag=True, help="End when there are no more changes.")
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the position in this file; the same command goes on from there.",
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append the stream records to this file, which `simulate` reads.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object a line; a pipe gets that anyway."
)
@quiet_option
@aws_options
def tail(source: str, **options: Any) -> None:
    """Follow the changes of all shards of a stream, decoded, until Ctrl-C.

    Names a table, the ARN of its stream, or a consumer of a deployed stack, whose filters then
    apply. The changes are shown with their data. A tail reads each shard once a second, and is one
    of the two readers that a shard has room for.
    """
    from cdk_streams.cli import _aws  # noqa: PLC0415 - boto3 is imported on use
    from cdk_streams.cli._tail.tail_session import TailSession  # noqa: PLC0415 - the same

    client = _aws.aws_of(options)
    stream_arn, patterns = _source(client, source)
    session = TailSession(
        client("dynamodbstreams"),
        stream_arn,
        tests=[*_tests(patterns, options["pattern"], options["where"])],
        options=options,
        as_json=options["as_json"] or not sys.stdout.isatty(),
    )
    try:
        while session.round():
            time.sleep(_WAIT_S)
    except KeyboardInterrupt:
        pass
    raise SystemExit(0)


def _source(client: Client, source: str) -> tuple[str, list[str]]:
    """Return the ARN of the stream, and the filter patterns of the consumer that was named."""
    if source.startswith("arn:"):
        from cdk_streams.arns import is_service  # noqa: PLC0415 - not for --help

        if not is_service(source, "dynamodb") or "/stream/" not in source:
            raise CommandError(
                f"the ARN must be that of a DynamoDB stream, got {source}; DescribeTable names it "
                "LatestStreamArn"
            )
        return source, []
    stack, slash, consumer = source.partition("/")
    if slash:
        return _of_consumer(client, stack, consumer)
    described = client("dynamodb").describe_table(TableName=source)["Table"]
    arn = described.get("LatestStreamArn")
    if arn is None or not described.get("StreamSpecification", {}).get("StreamEnabled"):
        raise CommandError(
            f"the table must have a stream, got {source} without one; set its StreamSpecification"
        )
    return str(arn), []


def _of_consumer(client: Client, stack: str, consumer: str) -> tuple[str, list[str]]:
    from cdk_streams.redrive import stack_mappings  # noqa: PLC0415 - not for --help

    found = stack_mappings(client, stack, consumer)
    if len(found) > 1:
        raise CommandError(f"name one consumer, got {consumer} for {', '.join(sorted(found))}")
    for mapping in found.values():
        filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
        return str(mapping["EventSourceArn"]), [each["Pattern"] for each in filters]
    raise CommandError(f"{consumer} must read a DynamoDB stream, got another source")


def _tests(
    patterns: Iterable[str], pattern: str | None, where: str | None
) -> Iterable[Callable[[Mapping[str, Any]], bool]]:
    """Yield what a record has to pass; one of the consumer's patterns is enough."""
    from cdk_streams.cli._tail.where_expression import parse_where  # noqa: PLC0415 - not for --help
    from cdk_streams.errors import FilterError  # noqa: PLC0415 - the same
    from cdk_streams.filters import compile_pattern  # noqa: PLC0415 - the same
    from lambda_runtime import parse  # noqa: PLC0415 - the same

    if of_consumer := [compile_pattern(each) for each in patterns]:
        yield lambda record: any(each.matches(record) for each in of_consumer)
    if pattern is not None:
        yield compile_pattern(pattern).matches
    if where is not None:
        try:
            condition = parse_where(where)
        except FilterError as error:
            raise click.UsageError(f"--where: {error}") from None
        yield lambda record: condition(parse({"Records": [record]})[0])
