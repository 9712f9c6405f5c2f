"""Recorded behaviour of Lambda, as scenarios that run anywhere.

`SCENARIOS` holds what AWS was seen to do (and, marked so, what follows from it). Each runs in the
simulator, on fakes, against DynamoDB Local and against another local AWS.
"""

from __future__ import annotations

from typing import Any

from cdk_streams.mapping import MappingSettings
from tests.bench.scenario import Failure, Result, Scenario
from tests.bench.timed_scenarios import IN_TIME

__all__ = ["SCENARIOS"]


def _raises(*bad: int) -> dict[str, Any]:
    return {"bad": list(bad), "how": "raise"}


def _reports(*bad: int) -> dict[str, Any]:
    return {"bad": list(bad), "how": "report"}


def _answers(*identifiers: Any) -> dict[str, Any]:
    failures = [{"itemIdentifier": each} for each in identifiers]
    return {"bad": [1], "how": "answer", "answer": {"batchItemFailures": failures}}


def _given_up(count: int, size: int, first: int, last: int, error: str | None) -> Failure:
    return Failure("RetryAttemptsExhausted", count, size, first, last, error)


_ALL = (1, 2, 3, 4)
_EXCEPTION = "Unhandled"
_KEPT = '{"dynamodb":{"NewImage":{"keep":{"BOOL":[true]}}}}'

SCENARIOS = (
    Scenario(
        "raise_retry",
        "a failing batch is called again whole until its retries are spent",
        MappingSettings(retry_attempts=2),
        _raises(2),
        Result((_ALL,) * 3, (_given_up(3, 4, 1, 4, _EXCEPTION),)),
    ),
    Scenario(
        "raise_once",
        "no retries is one call",
        MappingSettings(retry_attempts=0),
        _raises(2),
        Result((_ALL,), (_given_up(1, 4, 1, 4, _EXCEPTION),)),
    ),
    Scenario(
        "single_record",
        "one record is retried alone",
        MappingSettings(retry_attempts=1),
        _raises(1),
        Result(((1,),) * 2, (_given_up(2, 1, 1, 1, _EXCEPTION),)),
        count=1,
    ),
    Scenario(
        "raise_bisect",
        "a failing batch is halved at once, and only a single record spends retries",
        MappingSettings(retry_attempts=1, bisect_batch_on_error=True),
        _raises(2),
        Result((_ALL, (1, 2), (1,), (2,), (2,), (3, 4)), (_given_up(2, 1, 2, 2, _EXCEPTION),)),
    ),
    Scenario(
        "bisect_without_retries",
        "a batch is halved even when it may not be retried",
        MappingSettings(retry_attempts=0, bisect_batch_on_error=True),
        _raises(5),
        Result(
            ((1, 2, 3, 4, 5), (1, 2), (3, 4, 5), (3,), (4, 5), (4,), (5,)),
            (_given_up(1, 1, 5, 5, _EXCEPTION),),
        ),
        count=5,
        evidence="follows from it",
    ),
    Scenario(
        "partial",
        "what follows the first reported record is called again, good records too",
        MappingSettings(retry_attempts=1, report_batch_item_failures=True),
        _reports(2),
        Result((_ALL, (2, 3, 4), (2, 3, 4)), (_given_up(2, 3, 2, 4, None),)),
    ),
    Scenario(
        "partial_fresh_budget",
        "after an advance the rest has all its retries",
        MappingSettings(batch_size=3, retry_attempts=3, report_batch_item_failures=True),
        _reports(6),
        Result(((1, 2, 3), (4, 5, 6), *((6,),) * 4), (_given_up(4, 1, 6, 6, None),)),
        count=6,
    ),
    Scenario(
        "partial_bisect",
        "a partial response cuts first, and a batch that begins with its failure is halved",
        MappingSettings(
            retry_attempts=1, report_batch_item_failures=True, bisect_batch_on_error=True
        ),
        _reports(2),
        Result((_ALL, (2, 3, 4), (2,), (2,), (3, 4)), (_given_up(2, 1, 2, 2, None),)),
    ),
    Scenario(
        "partial_not_asked_for",
        "without the setting an answer that names failures is a success",
        MappingSettings(retry_attempts=1),
        _reports(2),
        Result((_ALL,)),
    ),
    Scenario(
        "invalid_identifier",
        "an empty identifier fails the whole batch",
        MappingSettings(retry_attempts=0, report_batch_item_failures=True),
        _answers(""),
        Result((_ALL,), (_given_up(1, 4, 1, 4, None),)),
    ),
    Scenario(
        "identifier_that_is_no_text",
        "an identifier that is no text fails the batch as often as it may be retried",
        MappingSettings(retry_attempts=3, report_batch_item_failures=True),
        _answers(123),
        Result(((1,),) * 4, (_given_up(4, 1, 1, 1, None),)),
        count=1,
    ),
    Scenario(
        "first_record_reported",
        "a batch whose first record is reported has made no advance",
        MappingSettings(retry_attempts=1, report_batch_item_failures=True),
        _reports(1),
        Result(((1, 2, 3),) * 2, (_given_up(2, 3, 1, 3, None),)),
        count=3,
        evidence="follows from it",
    ),
    Scenario(
        "filter",
        "records are filtered before they are put into batches",
        MappingSettings(batch_size=4, filters=[_KEPT]),
        _raises(),
        Result(((2, 4),)),
        keep=frozenset({2, 4}),
    ),
    Scenario(
        "batches",
        "a batch holds at most its size",
        MappingSettings(batch_size=2),
        _raises(),
        Result(((1, 2), (3, 4), (5,))),
        count=5,
        evidence="follows from it",
    ),
    Scenario(
        "after_a_discard",
        "what was discarded does not hold up what follows",
        MappingSettings(batch_size=2, retry_attempts=0),
        _raises(1, 6),
        Result(
            ((1, 2), (3, 4), (5, 6)),
            (_given_up(1, 2, 1, 2, _EXCEPTION), _given_up(1, 2, 5, 6, _EXCEPTION)),
        ),
        count=6,
        evidence="follows from it",
    ),
    *IN_TIME,
)
