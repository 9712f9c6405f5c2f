"""`cdk-streams explain`: what each mapping of a template does when something fails."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cdk_streams.cli._command import CommandError, command

if TYPE_CHECKING:
    from cdk_streams.analysis import Explanation

__all__ = ["explain"]


@command(short_help="Say what each mapping does with failures, in numbers.")
@click.argument("template")
@click.option(
    "--consumer",
    help="This mapping only, by its logical id or its function's, or the beginning of it.",
)
@click.option(
    "--with",
    "changes",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Explain the mapping with this setting, beside today's; a setting goes by our name or the "
    "template's (`BatchSize`). May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(template: str, consumer: str | None, changes: Sequence[str], *, as_json: bool) -> None:
    """Say what each event source mapping of TEMPLATE does, with numbers of the simulator.

    For a poison record (one that always fails), an outage of an hour and a handler of 10 s for each
    batch: how long the shard stands still, what is discarded and where it goes, until when it can
    be read back, and when each alarm goes off. Filters are taken to match every record.
    """
    found, left_out = _explanations(template, consumer, dict(map(_change, changes)))
    if as_json:
        explained = [{**_as_json(each), "proposed": label != "today"} for label, each in found]
        skipped = [{"mapping": name, "reason": why} for name, why in left_out.items()]
        click.echo(json.dumps({"mappings": explained, "skipped": skipped}, indent=2))
    else:
        click.echo("\n\n".join(_text(label if changes else "", each) for label, each in found))
        for name, why in left_out.items():
            click.echo(f"\n{name} is not explained: {why}")
    if not found and not left_out:
        raise CommandError("the template has no event source mapping that reads a stream")


def _explanations(
    template: str, consumer: str | None, changes: Mapping[str, Any]
) -> tuple[list[tuple[str, Explanation]], Mapping[str, str]]:
    from cdk_streams.analysis import explain_mapping, proposed, runnable_mappings  # noqa: PLC0415 - not for --help
    from cdk_streams.template import read  # noqa: PLC0415 - the same

    stack = read(Path(template))
    found = runnable_mappings(stack)
    chosen = found.mappings if consumer is None else (found.named(consumer),)
    wanted = [("today", each) for each in chosen]
    if changes:
        label = "with " + ", ".join(f"{name}={value}" for name, value in changes.items())
        pairs = [(today, (label, proposed(today[1], changes))) for today in wanted]
        wanted = [each for pair in pairs for each in pair]
    explained = [(each, explain_mapping(mapping, stack)) for each, mapping in wanted]
    return explained, found.left_out if consumer is None else {}


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"--with must be SETTING=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval({"true": "True", "false": "False"}.get(value, value))
    except (ValueError, SyntaxError):
        return name, value


def _text(label: str, found: Explanation) -> str:
    mapping = found.mapping
    title = f"{mapping.logical_id} ({mapping.function} reads {mapping.stream.table})"
    lines = [f"{title}, {label}" if label else title]
    for heading, sentences in (
        ("A poison record", _poison(found)),
        (f"An outage of {_length(found.outage.length)}", _outage(found)),
        (f"A handler of {_length(found.slow.length)} for each batch", _slow(found)),
        ("Alarms", _alarms(found)),
    ):
        lines.append(f"  {heading}")
        lines += [f"    {each}" for each in sentences]
    return "\n".join(lines)


def _poison(found: Explanation) -> Iterator[str]:
    poison = found.poison
    yield (
        f"Its shard stands still for {_length(poison.blocked)}; "
        f"{_count(poison.calls, 'invocation')} of the function hold the record."
    )
    if poison.trimmed:
        yield (
            f"DynamoDB trims the record after 24 hours, and with it {poison.trimmed - 1:,} other "
            f"records of the {poison.records:,} in this run. Nothing is sent anywhere."
        )
    if poison.discarded:
        innocent = poison.discarded - 1
        others = (
            f", and {_count(innocent, 'record')} of its batch that would succeed"
            if innocent
            else ""
        )
        yield f"Then it is discarded{others}."
        yield _destination(found, poison.delivered, poison.lost)
    elif found.mapping.settings.on_failure is None:
        yield "There is no on-failure destination: what Lambda discards is lost."
    if poison.readable is not None and not _holds_data(found):
        yield f"What was discarded stays in the stream for another {_length(poison.readable)}."


def _destination(found: Explanation, delivered: int, lost: int) -> str:
    if lost:
        return f"There is no on-failure destination: failure records that are lost: {lost:,}."
    holds = "the records themselves" if _holds_data(found) else "sequence numbers, not the data"
    return (
        f"Failure records that reach the destination {found.mapping.settings.on_failure}: "
        f"{delivered:,}. They hold {holds}."
    )


def _outage(found: Explanation) -> Iterator[str]:
    outage = found.outage
    yield (
        f"Of {outage.written:,} records written to one shard, one a second, {outage.discarded:,} "
        f"are discarded and {outage.trimmed:,} trimmed; the others are processed late."
    )
    if outage.discarded:
        yield _destination(found, outage.delivered, outage.lost)
    yield (
        f"The iterator age reaches {_length(outage.most_age)}; the last of these records is done "
        f"with {_length(outage.caught_up)} after the outage."
    )


def _slow(found: Explanation) -> Iterator[str]:
    slow = found.slow
    if slow.times_out:
        yield (
            f"The function's timeout is {_length(found.mapping.timeout)}: every batch times out, "
            "which is an outage."
        )
    else:
        yield f"A shard gets through {slow.per_second:,.1f} records a second, in full batches."


def _alarms(found: Explanation) -> Iterator[str]:
    for each in found.alarms:
        moments = (("a poison record", each.poison), ("the outage", each.outage))
        told = [f"{name} after {_length(at)}" for name, at in moments if at is not None]
        stays = "stays OK in both"
        yield (
            f"{each.alarm.logical_id} ({each.alarm.metric}): "
            f"{'goes off in ' + ', in '.join(told) if told else stays}."
        )
    if not found.alarms:
        yield "The template has none on the iterator age or the failure queue of this mapping."


def _holds_data(found: Explanation) -> bool:
    destination = found.mapping.settings.on_failure
    return isinstance(destination, str) and destination.startswith("arn:aws:s3:")


def _length(length: timedelta) -> str:
    """Return a length of time in words: `3 min 42 s`."""
    seconds = round(length.total_seconds())
    if seconds == 0 and length:
        return "less than 1 s"
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _as_json(found: Explanation) -> dict[str, Any]:
    mapping, poison, outage = found.mapping, found.poison, found.outage
    return {
        "mapping": mapping.logical_id,
        "place": mapping.place,
        "function": mapping.function,
        "settings": mapping.settings.to_template(),
        "poison": {
            "blocked_s": poison.blocked.total_seconds(),
            "invocations": poison.calls,
            "discarded": poison.discarded,
            "delivered": poison.delivered,
            "lost": poison.lost,
            "trimmed": poison.trimmed,
            "readable_s": None if poison.readable is None else poison.readable.total_seconds(),
        },
        "outage": {
            "length_s": outage.length.total_seconds(),
            "written": outage.written,
            "discarded": outage.discarded,
            "delivered": outage.delivered,
            "lost": outage.lost,
            "trimmed": outage.trimmed,
            "caught_up_s": outage.caught_up.total_seconds(),
            "iterator_age_s": outage.most_age.total_seconds(),
        },
        "slow_handler": {
            "length_s": found.slow.length.total_seconds(),
            "times_out": found.slow.times_out,
            "records_per_second_per_shard": found.slow.per_second,
        },
        "alarms": [
            {
                "alarm": each.alarm.logical_id,
                "metric": each.alarm.metric,
                "poison_after_s": _seconds(each.poison),
                "outage_after_s": _seconds(each.outage),
            }
            for each in found.alarms
        ],
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
