"""`make compare`: every recording beside the simulator, under each value of its assumption.

    python -m conformance.compare [FOLDER]

Prints a row for each recording. Ends 1 when a recording differs from the simulator under every
value, or when it decides against the default.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Final, Literal, TypeAlias

from cdk_streams.errors import StreamsError
from cdk_streams.poller import DEFAULT_ASSUMPTIONS, Assumptions
from conformance.question import Question
from conformance.questions import QUESTIONS
from conformance.recording import Recording, load_all
from conformance.simulated import Simulated, simulated
from tests.bench.scenario import Result

__all__ = ["RECORDINGS", "Comparison", "Verdict", "compare", "compare_all", "main"]

RECORDINGS: Final = Path(__file__).parent / "recordings"
Verdict: TypeAlias = Literal["equal", "differs", "decides"]
# Of a wait that is compared: the least and the most, as parts of the simulator's, and what a real
# call, its start and its log may add.
_LEAST: Final = 0.5
_MOST: Final = 1.5
_SLACK_MS: Final = 1_000
_LEAST_OF_UNENDING: Final = 2
# Of an iterator age: DynamoDB tells the second in which a record was written, and a call begins
# some time after it was sent.
_AGE_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a recording says of a question.

    `fits` are the values under which the simulator did the same; `differences` has one sentence
    for each other value, with the first place where it did not. `by_default` says whether the
    default is among those that fit.
    """

    question: Question
    recording: Recording
    fits: tuple[str, ...]
    differences: tuple[str, ...]
    by_default: bool

    @property
    def verdict(self) -> Verdict:
        """`decides`: one of several values fits; `equal`: all or some do; `differs`: none."""
        if not self.fits:
            return "differs"
        decided = len(self.fits) == 1 and self.question.assumption is not None
        return "decides" if decided else "equal"

    def row(self) -> str:
        """Return a line for people."""
        detail = {
            "equal": "",
            "decides": f": {self.fits[0]}" if self.fits else "",
            "differs": f": {'; '.join(self.differences)}",
        }[self.verdict]
        seen = f"{self.recording.where}, {self.recording.made}"
        return f"{self.question.name} ({seen}) {self.verdict}{detail}"


def compare(question: Question, recording: Recording) -> Comparison:
    """Simulate the question under each value of its assumption; compare with the recording."""
    fits, differences = [], []
    for value, assumptions in question.assumptions().items():
        where = _difference(
            question, recording, simulated(question, assumptions, recording.watched_s), assumptions
        )
        if where is None:
            fits.append((value, assumptions))
        else:
            differences.append(f"under {value}, {where}")
    return Comparison(
        question,
        recording,
        tuple(value for value, _ in fits),
        tuple(differences),
        by_default=any(assumptions == DEFAULT_ASSUMPTIONS for _, assumptions in fits),
    )


def _difference(
    question: Question, recording: Recording, other: Simulated, assumptions: Assumptions
) -> str | None:
    """Return the first place where the recording is not what the simulator did; None: nowhere."""
    got, expected = _result(question, recording), _result(question, other.recording)
    for what, seen, wanted in (
        ("call", got.calls, expected.calls),
        ("window of call", got.windows, expected.windows),
        ("failure record", got.failures, expected.failures),
    ):
        # A recording ends at some time; what would go on for ever is compared as far as it went.
        is_part = other.unending and len(got.calls) >= _LEAST_OF_UNENDING
        length = len(seen) if is_part else None
        pairs = zip_longest(seen[:length], wanted[:length])
        for place, (one, two) in enumerate(pairs, start=1):
            if one != two:
                return f"{what} {place} must be {two}, got {one}"
    if question.timed:
        return _wait_out_of_bounds(recording, other.recording)
    if question.metric is not None:
        return _other_sum(question.metric, recording, other.recording)
    if question.assumption == "iterator_age_at":
        return _other_age(recording, assumptions)
    return None


def _result(question: Question, recording: Recording) -> Result:
    """Return what is compared: all of it, or without repeated calls where an update ends them."""
    result = recording.result(question.scenario)
    if question.update is None:
        return result
    return replace(
        result,
        calls=tuple(call for call, _ in groupby(result.calls)),
        failures=tuple(replace(each, count=0) for each in result.failures),
    )


def _other_sum(metric: str, recording: Recording, other: Recording) -> str | None:
    if not recording.metrics:
        return f"{metric} must be recorded, got no metric"
    got, wanted = recording.metrics.get(metric, 0), other.metrics.get(metric, 0)
    return None if got == wanted else f"{metric} must be {wanted:g}, got {got:g}"


def _other_age(recording: Recording, assumptions: Assumptions) -> str | None:
    """Compare IteratorAge with the age of the last record of a call when it began, or ended."""
    if (got := recording.metrics.get("IteratorAge")) is None:
        return "IteratorAge must be recorded, got no data point"
    is_sent = assumptions.iterator_age_at == "sent"
    wanted = max(
        (each.began_ms if is_sent else each.ended_ms)
        - recording.written_ms[each.sequence_numbers[-1]]
        for each in recording.calls
    )
    if abs(got - wanted) <= _AGE_MS:
        return None
    return f"IteratorAge must be within {_AGE_MS} ms of {wanted}, got {got:g}"


def _wait_out_of_bounds(recording: Recording, other: Recording) -> str | None:
    pairs = zip(recording.gaps_ms(), other.gaps_ms(), strict=False)
    for place, (got, wanted) in enumerate(pairs, start=1):
        least, most = _LEAST * wanted, _MOST * wanted + _SLACK_MS
        if not least <= got <= most:
            return f"the wait after call {place} must be {least:g} to {most:g} ms, got {got}"
    return None


def compare_all(folder: Path) -> list[Comparison]:
    """Compare every recording under a folder, in the order of their paths.

    Raises:
        StreamsError: A recording of a scenario that is asked no more.

    """
    questions = {each.name: each for each in QUESTIONS}
    compared = []
    for recording in load_all(folder):
        if recording.scenario not in questions:
            raise StreamsError(
                f"scenario must be one of {', '.join(questions)}, got {recording.scenario!r}; "
                "remove its recording"
            )
        compared.append(compare(questions[recording.scenario], recording))
    return compared


def main(arguments: list[str]) -> int:
    """Print a row for each recording and return the exit code."""
    folder = Path(arguments[0]) if arguments else RECORDINGS
    compared = compare_all(folder)
    for each in compared:
        print(each.row())  # noqa: T201 - this is what the command is for
    asked = {each.question.name for each in compared}
    missing = [each.name for each in QUESTIONS if each.name not in asked]
    print(f"{len(compared)} recordings; {len(missing)} of {len(QUESTIONS)} questions have none")  # noqa: T201 - the same
    return 0 if all(each.by_default for each in compared) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
