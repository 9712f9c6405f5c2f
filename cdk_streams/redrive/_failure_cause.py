"""The error that a batch failed with, from the log of its function.

    find_cause(client, failure).error_type          # "ValueError"

The log is searched for the request id of the last attempt and for the sequence numbers of the
batch, which `lambda_runtime` logs with each record that failed. Lambda reports an error that no
handler caught without its request id: it is found in the same log stream, between that request's
lines.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.arns import Arn
from cdk_streams.live import Client
from cdk_streams.redrive._failure_record import FailureRecord

__all__ = ["FailureCause", "find_cause"]

# A call lasts up to 15 minutes, and what it printed is in the log some seconds later.
_BEFORE: Final = timedelta(minutes=20)
_AFTER: Final = timedelta(minutes=5)
_MOST_PAGES: Final = 20
# What could end the quotes of a filter pattern is no request id.
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_TYPES: Final = (
    re.compile(r"Error Type: ([\w.]+)"),
    re.compile(r"\[ERROR\] ([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE),
    re.compile(r"(Task timed out after [\d.]+ seconds)"),
)


@dataclass(frozen=True, slots=True)
class FailureCause:
    """The error of the last attempt: its type, and the `line` of the log, which may hold item data.

    Both are "" when the log does not have it; `problem` is the reason why.
    """

    log_group: str
    error_type: str = ""
    line: str = ""
    problem: str = ""


def find_cause(client: Client, failure: FailureRecord) -> FailureCause:
    """Return the error that a batch failed with, as far as the function's log has it.

    Searches the log around the time of the failure record for its sequence numbers and its request
    ID. Where nothing is found, or the log may not be read, `problem` of the cause says why.

    Raises:
        ClientError: The function's configuration may not be read.

    """
    group = _log_group(client("lambda"), failure.function_arn)
    words = [each for each in (failure.first, failure.last) if each]
    if _REQUEST_ID.fullmatch(failure.request_id):
        words.append(failure.request_id)
    if failure.sent_at is None or not words:
        return FailureCause(group, problem="the failure record names no time or no request")
    search = _LogSearch(client("logs"), group, failure.sent_at)
    try:
        found = search.events(" ".join(f'?"{each}"' for each in dict.fromkeys(words)))
        typed = _typed(failure, found) or _typed(failure, search.reports_between(found))
    except (ClientError, BotoCoreError) as error:
        return FailureCause(group, problem=str(error))
    if typed is None:
        return FailureCause(group, problem="the log has no error of the last attempt")
    return FailureCause(group, *typed)


def _log_group(lambda_api: Any, function: str) -> str:
    """Return the function's log group; Lambda's default where it may not be asked for."""
    try:
        settings = lambda_api.get_function_configuration(FunctionName=function)
        return str(settings["LoggingConfig"]["LogGroup"])
    except (ClientError, BotoCoreError, KeyError):
        return f"/aws/lambda/{Arn.parse(function).name}"


class _LogSearch:
    """Searches a log group around the time at which a batch was discarded."""

    def __init__(self, logs: Any, group: str, sent_at: datetime) -> None:
        self._logs = logs
        self._group = group
        self._start_ms = _ms(sent_at - _BEFORE)
        self._end_ms = _ms(sent_at + _AFTER)

    def events(self, pattern: str, **more: Any) -> list[Mapping[str, Any]]:
        """Return the events that match a filter pattern, in order."""
        request = {"startTime": self._start_ms, "endTime": self._end_ms, **more}
        found: list[Mapping[str, Any]] = []
        for _ in range(_MOST_PAGES):
            page = self._logs.filter_log_events(
                logGroupName=self._group, filterPattern=pattern, **request
            )
            found += page.get("events", [])
            if not page.get("nextToken"):
                break
            request["nextToken"] = page["nextToken"]
        return found

    def reports_between(self, lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the reports of uncaught errors between the lines of a request."""
        streams = {each["logStreamName"] for each in lines}
        if len(streams) != 1:
            return []
        times = [each["timestamp"] for each in lines]
        return self.events(
            '"[ERROR]"',
            logStreamNames=[*streams],
            startTime=min(times),
            endTime=max(times) + 1,
        )


def _typed(failure: FailureRecord, events: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return the error type and the line of the batch's error; a line about a record comes first.

    Of several the last one is taken: earlier ones are of other attempts.
    """
    best: tuple[bool, str, str] | None = None
    for each in events:
        line = str(each["message"]).rstrip()
        fields = _fields(line)
        is_of_batch = _is_between(failure, fields.get("sequence_number"))
        kind = fields.get("error_type") or fields.get("errorType") or _named_type(line)
        if kind and (best is None or is_of_batch or not best[0]):
            best = is_of_batch, str(kind), line
    return best[1:] if best else None


def _named_type(line: str) -> str:
    found = [each[1] for pattern in _TYPES if (each := pattern.search(line))]
    return found[0] if found else ""


def _fields(line: str) -> Mapping[str, Any]:
    """Return the JSON object in a line; an empty one when there is none."""
    start = line.find("{")
    if start < 0:
        return {}
    try:
        fields, _ = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, Mapping) else {}


def _is_between(failure: FailureRecord, number: Any) -> bool:
    if failure.first is None or failure.last is None:
        return False
    is_number = isinstance(number, str) and number.isdecimal()
    return is_number and int(failure.first) <= int(number) <= int(failure.last)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
