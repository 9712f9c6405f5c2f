"""Our own live driver in Lambda's place, on the local AWS: the kit tried on a poller known to fit.

    python -m conformance.driven FOLDER [SCENARIO]...

Keeps recordings like those of AWS, for `python -m conformance.compare FOLDER`. Leaves out what the
driver cannot be asked: concurrency of functions, and waits of minutes.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cdk_streams.live import Client
from cdk_streams.local import client, exit_on_signals, local_aws
from conformance.question import Question
from conformance.questions import QUESTIONS
from conformance.recording import RecordedCall, Recording, save
from conformance.simulated import window_of
from tests.bench.live_run import Observed, observe_scenario

__all__ = ["can_be_driven", "main", "recorded"]

_LONGEST_WAIT_S: Final = 50
_WHERE: Final = "the live driver on ministack"


def can_be_driven(question: Question) -> bool:
    """Return whether the live driver can be asked; its run ends when every record is settled."""
    settles = question.scenario.settings.starting_position != "LATEST"
    # Only AWS has reserved concurrency, updates of mappings, roles, metrics, and tables that split.
    needs_aws = (
        question.throttled_s
        or question.update
        or question.split
        or question.denied
        or question.metric
        or question.assumption == "iterator_age_at"
    )
    return settles and not needs_aws and question.waits_s <= _LONGEST_WAIT_S


def recorded(question: Question, clients: Client) -> Recording:
    """Run the question's scenario with real reads, calls and failure records, and record it."""
    began = time.monotonic()
    observed = observe_scenario(question.scenario, clients, connection={})
    return Recording(
        question.name,
        _WHERE,
        dt.datetime.now(dt.UTC).date().isoformat(),
        {each: version(each) for each in ("cdk-streams", "ministack")},
        question.scenario.settings.to_template(),
        round(time.monotonic() - began, 1),
        observed.ordinals,
        _calls(observed),
        tuple(observed.failures),
    )


def _calls(observed: Observed) -> tuple[RecordedCall, ...]:
    return tuple(
        RecordedCall(
            "",
            observed.times_ms[round(call.began)],
            observed.times_ms[round(call.ended)],
            tuple(each["dynamodb"]["SequenceNumber"] for each in call.event["Records"]),
            call.shard_id,
            window_of(call.event),
        )
        for call in observed.calls
    )


def main(arguments: list[str]) -> None:
    """Record the named questions, all when there is none."""
    folder, names = Path(arguments[0]), arguments[1:]
    with exit_on_signals(), local_aws() as aws:
        for question in QUESTIONS:
            if can_be_driven(question) and (not names or question.name in names):
                save(recorded(question, lambda service: client(aws, service)), folder)


if __name__ == "__main__":
    main(sys.argv[1:])
