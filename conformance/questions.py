"""What is asked of AWS: every recorded scenario again, and one scenario for each assumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cdk_streams.mapping import MappingSettings
from conformance.question import Question, Split, Update
from tests.bench.recorded_scenarios import SCENARIOS
from tests.bench.scenario import Failure, Result, Scenario, Window

__all__ = ["NOT_ASKED", "QUESTIONS"]

_ALL: Final = (1, 2, 3, 4)


def _answer(answer: Any) -> dict[str, Any]:
    return {"bad": [1], "how": "answer", "answer": answer}


def _given_up(
    count: int, size: int, first: int, last: int, error: str | None = "Unhandled"
) -> Failure:
    return Failure("RetryAttemptsExhausted", count, size, first, last, error)


_REPORTING: Final = MappingSettings(retry_attempts=1, report_batch_item_failures=True)
_RAISES: Final[dict[str, Any]] = {"bad": [1], "how": "raise"}
_WHOLE_RAISED: Final = Result((_ALL,) * 2, (_given_up(2, 4, 1, 4),))
_WHOLE_TWICE: Final = Result((_ALL,) * 2, (_given_up(2, 4, 1, 4, None),))

# The shards of these scenarios are made by a proxy; a table splits when AWS decides to.
_RULES: Final = tuple(Question(each) for each in SCENARIOS if not each.shards)

_CHOICES: Final = (
    Question(
        Scenario(
            "backoff_first",
            "the wait before the first retry, and that each wait is twice the last",
            MappingSettings(retry_attempts=5),
            _RAISES,
            Result(((1,),) * 6, (_given_up(6, 1, 1, 1),)),
            count=1,
            evidence="follows from it",
        ),
        assumption="backoff_first_ms",
        values=(200, 1_000),
        timed=True,
        waits_s=7,
    ),
    Question(
        Scenario(
            "backoff_cap",
            "the longest wait between two retries",
            MappingSettings(retry_attempts=11),
            _RAISES,
            Result(((1,),) * 12, (_given_up(12, 1, 1, 1),)),
            count=1,
            evidence="follows from it",
        ),
        assumption="backoff_cap_ms",
        values=(60_000, 25_000, 900_000),
        timed=True,
        waits_s=310,
        quiet_s=130,
    ),
    Question(
        Scenario(
            "unknown_identifier",
            "an identifier that is not in the batch",
            _REPORTING,
            _answer({"batchItemFailures": [{"itemIdentifier": "1"}]}),
            _WHOLE_TWICE,
            evidence="follows from it",
        ),
        assumption="unknown_identifier",
        values=("fail_batch", "ignore"),
    ),
    Question(
        Scenario(
            "answer_that_is_a_sentence",
            "an answer that is text, where partial responses are read",
            _REPORTING,
            _answer("Processed 4 records."),
            _WHOLE_TWICE,
            evidence="follows from it",
        ),
        assumption="unreadable_response",
        values=("fail_batch", "ignore"),
    ),
    Question(
        Scenario(
            "entry_without_identifier",
            "an entry of batchItemFailures without an identifier fails the whole batch",
            _REPORTING,
            _answer({"batchItemFailures": [{}]}),
            _WHOLE_TWICE,
            evidence="follows from it",
        ),
    ),
    Question(
        Scenario(
            "top_up",
            "whether the rest of a batch is filled up with the records that follow",
            MappingSettings(batch_size=2, retry_attempts=1, report_batch_item_failures=True),
            {"bad": [2], "how": "report"},
            Result(((1, 2), (2,), (2,), (3, 4)), (_given_up(2, 1, 2, 2, None),)),
            evidence="follows from it",
        ),
        assumption="top_up_after_checkpoint",
        values=(False, True),
    ),
    Question(
        Scenario(
            "idle_window",
            "whether a tumbling window closes although no later record comes",
            MappingSettings(tumbling_window=2),
            {"bad": [], "how": "sum"},
            Result(((1,),), windows=(Window(None),)),
            count=1,
            written_s=(0,),
            evidence="follows from it",
        ),
        assumption="idle_window_flush_ms",
        values=(None, 120_000),
        quiet_s=300,
    ),
    Question(
        Scenario(
            "closing_call_again",
            "what follows a closing call that failed for good",
            MappingSettings(tumbling_window=2, retry_attempts=0),
            {"bad": [], "how": "sum", "closing": "raise"},
            Result(
                ((1,), (), (2,)),
                (Failure("RetryAttemptsExhausted", 1, None, None, None, "Unhandled", final=True),),
                windows=(Window(None), Window(1, final=True), Window(None)),
            ),
            count=2,
            written_s=(0, 2),
            evidence="follows from it",
        ),
        assumption="failed_final_call",
        values=("move_on", "suspend"),
        quiet_s=120,
    ),
    Question(
        Scenario(
            "closing_call_without_state",
            "a call whose answer has no state has failed; whether a closing call has too",
            MappingSettings(tumbling_window=2, retry_attempts=0),
            {"bad": [], "how": "report"},
            Result(
                ((1,), (), (2,)),
                (_given_up(1, 1, 1, 1, None), _given_up(1, 1, 2, 2, None)),
                (Window(None), Window(None, final=True), Window(None)),
            ),
            count=2,
            written_s=(0, 2),
            evidence="follows from it",
        ),
        assumption="final_call_needs_state",
        values=(False, True),
    ),
    Question(
        Scenario(
            "state_of_partial_response",
            "whether a tumbling window goes on with the state of a partial response",
            MappingSettings(tumbling_window=60, retry_attempts=0, report_batch_item_failures=True),
            {"bad": [2], "how": "sum"},
            Result(
                ((1, 2), (2,)),
                (_given_up(1, 1, 2, 2, None),),
                (Window(None), Window(1)),
            ),
            count=2,
            written_s=(0, 1),
            evidence="follows from it",
        ),
        assumption="state_of_partial_response",
        values=("kept", "dropped"),
    ),
    Question(
        Scenario(
            "one_item_at_factor_10",
            "an item's changes are handled one after another at every parallelization factor",
            MappingSettings(batch_size=1, retry_attempts=1, parallelization_factor=10),
            _RAISES,
            Result(((1,), (1,), (2,), (3,), (4,)), (_given_up(2, 1, 1, 1),)),
            one_item=True,
            evidence="follows from it",
        ),
    ),
    Question(
        Scenario(
            "latest_begins_when_enabled",
            "LATEST skips what was written before the mapping was enabled",
            MappingSettings(starting_position="LATEST"),
            _RAISES,
            Result(()),
            evidence="follows from it",
        ),
    ),
    Question(
        Scenario(
            "throttled",
            "a throttled call spends no retry",
            MappingSettings(retry_attempts=1),
            _RAISES,
            Result(((1,),) * 2, (_given_up(2, 1, 1, 1),)),
            count=1,
            evidence="follows from it",
        ),
        throttled_s=30,
        waits_s=60,
    ),
    Question(
        Scenario(
            "settings_update",
            "an update of the retries ends a batch that is retried already",
            MappingSettings(batch_size=1),
            _RAISES,
            Result(((1,),) * 8 + ((2,),), (_given_up(8, 1, 1, 1),)),
            count=2,
            one_item=True,
            evidence="follows from it",
        ),
        # The calls of the default wait stand 12.6 and 25.4 s after the first.
        update=Update(18, MappingSettings(batch_size=1, retry_attempts=1)),
        waits_s=150,
    ),
    Question(
        Scenario(
            "oversized_record",
            "a record larger than a call is never sent, spends its retries, and the next follows",
            MappingSettings(batch_size=1, retry_attempts=1),
            {"bad": [], "how": "report"},
            Result(
                ((1,), (3,), (4,)),
                (Failure("RetryAttemptsExhausted", 2, 1, 2, 2, None, answered=False),),
            ),
            one_item=True,
            large=frozenset({2}),
            evidence="recorded on Kinesis",
        ),
    ),
    Question(
        Scenario(
            "split_shard",
            "the changes of an item keep their order when its shard splits",
            MappingSettings(batch_size=1, retry_attempts=1),
            _RAISES,
            Result(((1,), (1,), (2,), (3,), (4,)), (_given_up(2, 1, 1, 1),)),
            one_item=True,
            evidence="follows from it",
        ),
        split=Split(after=2, write_units=8_000),
    ),
    Question(
        Scenario(
            "list_streams_denied",
            "a role that is denied ListStreams reads its stream",
            MappingSettings(retry_attempts=1),
            _RAISES,
            _WHOLE_RAISED,
            evidence="recorded on AWS",
        ),
        denied=("dynamodb:ListStreams",),
    ),
    Question(
        Scenario(
            "age_of_a_slow_call",
            "whether IteratorAge is taken when a call begins or when it ends",
            MappingSettings(),
            {"bad": [], "how": "report", "pause_s": 8},
            Result((_ALL,)),
            evidence="follows from it",
        ),
        assumption="iterator_age_at",
        values=("sent", "ended"),
        waits_s=8,
    ),
    Question(
        Scenario(
            "no_destination",
            "whether records that are discarded without a destination are counted as dropped",
            MappingSettings(retry_attempts=0),
            _RAISES,
            Result((_ALL,)),
            evidence="recorded on AWS",
        ),
        assumption="dropped_without_destination",
        values=(False, True),
        metric="DroppedEventCount",
        has_destination=False,
    ),
)

NOT_ASKED: Final[Mapping[str, str]] = {
    "poll_interval_ms": "reads of a shard leave no trace that an account can see",
    "read_ahead": "records that are read and not yet sent leave no trace that an account can see",
    "retention_failure_record": "a record is trimmed after 24 hours; a run takes less than one",
}
"""Why no question asks for a field of `Assumptions`, by its name."""

QUESTIONS: Final[tuple[Question, ...]] = (*_RULES, *_CHOICES)
"""Every question, rules first; each name stands once."""
