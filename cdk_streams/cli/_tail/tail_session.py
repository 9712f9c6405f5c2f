"""One tail: a round over the shards, what of it is shown, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from cdk_streams.cli._command import CommandError
from cdk_streams.cli._tail.change_lines import change_lines
from cdk_streams.live import StreamsApi, StreamTail, TailPage
from lambda_runtime import parse, to_json

__all__ = ["TailSession"]


class TailSession:
    """Prints the changes of a stream that pass all tests; `round` after `round`."""

    def __init__(
        self,
        api: StreamsApi,
        stream_arn: str,
        *,
        tests: Iterable[Callable[[Mapping[str, Any]], bool]],
        options: Mapping[str, Any],
        as_json: bool,
    ) -> None:
        self._tests = tuple(tests)
        self._checkpoint: Path | None = options["checkpoint"]
        self._save: Path | None = options["save"]
        self._left: int | None = options["limit"]
        self._follows = not options["no_follow"]
        self._quiet = options["quiet"]
        self._as_json = as_json
        self._tail = StreamTail(
            api, stream_arn, start=options["start"], position=_saved(self._checkpoint)
        )

    def round(self) -> bool:
        """Read each shard once and print what passes; return whether there is more to come."""
        page = self._tail.read()
        self._report(page)
        for place, record in enumerate(page.records, start=1):
            if not all(test(record) for test in self._tests):
                continue
            self._show(record)
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    self._keep_position(without_last=len(page.records) - place)
                    return False
        self._keep_position()
        return self._follows or bool(page.records or page.errors)

    def _show(self, record: dict[str, Any]) -> None:
        (change,) = parse({"Records": [record]})
        if self._as_json:
            click.echo(to_json(change))
        else:
            click.echo("\n".join(change_lines(change)))
        if self._save is not None:
            with self._save.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    def _report(self, page: TailPage) -> None:
        for shard in page.trimmed:
            click.echo(f"records of {shard} were trimmed before they were read", err=True)
        if not self._quiet:
            for error in page.errors:
                click.echo(f"read again in a second: {error}", err=True)

    def _keep_position(self, *, without_last: int = 0) -> None:
        if self._checkpoint is None:
            return
        # Renamed when it is whole: an interruption leaves the old file or the new one.
        written = self._checkpoint.with_name(f"{self._checkpoint.name}.new")
        position = self._tail.position(without_last=without_last)
        written.write_text(json.dumps(position), encoding="utf-8")
        written.replace(self._checkpoint)


def _saved(file: Path | None) -> Any:
    if file is None or not file.exists():
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise CommandError(f"{file} must hold the position of a tail, got another file") from None
