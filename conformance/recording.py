"""A recording: what a poller did in one scenario, as a JSON file without an account number."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cdk_streams.errors import StreamsError
from tests.bench.scenario import Call, Result, Scenario, result_of

__all__ = ["FORMAT", "RecordedCall", "Recording", "load", "load_all", "save", "without_account"]

FORMAT: Final = 3
_HIDDEN_ACCOUNT: Final = "000000000000"
# An account stands after the region of an ARN (or where a global service has none), and in the path
# of a queue's URL. Digits elsewhere may be a sequence number or a time.
_ACCOUNT: Final = re.compile(
    r"(?:\barn:[\w-]*:[\w-]*:[\w-]*:|https?://[\w.:-]+/|(?<=[:/]))(\d{12})(?!\d)"
)
_NAMED: Final = re.compile(r'(?<="accountId": ")(\d{12})(?=")')


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call as the function logged it; times are milliseconds since 1970."""

    request_id: str
    began_ms: int
    ended_ms: int
    sequence_numbers: tuple[str, ...]
    shard_id: str = ""
    window: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """What was seen of one scenario.

    Attributes:
        scenario: The name of its question.
        where: Who polled: `AWS us-east-1`, or what stood in Lambda's place.
        made: The date, YYYY-MM-DD.
        versions: Of what took part, by name.
        settings: The mapping's, as a template spells them.
        watched_s: Seconds from the start of the mapping until its end was collected. What the
            simulator does later than that is not compared.
        ordinals: The place of each record's sequence number, from 1.
        calls: In the order in which they began.
        failures: Failure records as the queue got them, in the order they were sent.
        metrics: Sums by name and the highest IteratorAge in milliseconds, as CloudWatch had them.
        states: The mapping's states, in the order they were seen.
        written_ms: When each record was written, by its sequence number, in milliseconds since
            1970; DynamoDB tells it to the second.

    """

    scenario: str
    where: str
    made: str
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    watched_s: float
    ordinals: Mapping[str, int]
    calls: tuple[RecordedCall, ...]
    failures: tuple[Mapping[str, Any], ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    written_ms: Mapping[str, int] = field(default_factory=dict)

    def result(self, scenario: Scenario) -> Result:
        """Return the recording as what a scenario expects: ordinals in place of numbers.

        Raises:
            StreamsError: A call or a failure record names a record that the stream did not have.

        """
        try:
            return result_of(scenario, map(_call, self.calls), self.failures, self.ordinals)
        except KeyError as error:
            raise StreamsError(
                f"{self.scenario} ({self.where}, {self.made}): ordinals must have each sequence "
                f"number of calls and failures, got none of {error}; record it again"
            ) from error

    def gaps_ms(self) -> tuple[int, ...]:
        """Return the times between one call's end and the next one's beginning."""
        pairs = zip(self.calls, self.calls[1:], strict=False)
        return tuple(after.began_ms - before.ended_ms for before, after in pairs)


def _call(call: RecordedCall) -> Call:
    event: dict[str, Any] = {
        "Records": [{"dynamodb": {"SequenceNumber": each}} for each in call.sequence_numbers]
    }
    if call.window is not None:
        event |= {
            "window": {},
            "state": call.window["state"],
            "isFinalInvokeForWindow": call.window["isFinalInvokeForWindow"],
        }
    return Call(call.shard_id, event, call.began_ms, call.ended_ms)


def without_account(text: str) -> str:
    """Return the text with each account number replaced by twelve zeros.

    A number that an ARN, the URL of a queue or a field `accountId` shows to be an account is
    replaced wherever it stands alone.
    """
    found = {each for pattern in (_ACCOUNT, _NAMED) for each in pattern.findall(text)}
    for account in found:
        text = re.sub(rf"(?<!\d){account}(?!\d)", _HIDDEN_ACCOUNT, text)
    return text


def save(recording: Recording, folder: Path) -> Path:
    """Write the recording as `<scenario>.json` into a folder and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{recording.scenario}.json"
    text = json.dumps({"format": FORMAT} | asdict(recording), indent=1)
    file.write_text(without_account(text) + "\n", encoding="utf-8")
    return file


def load(file: Path) -> Recording:
    """Read one recording.

    Raises:
        StreamsError: The file is no recording of this format.

    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if (version := found.pop("format")) != FORMAT:
            raise StreamsError(
                f"{file}: format must be {FORMAT}, got {version!r}; "
                "record it again, or compare it with the commit that made it"
            )
        calls = tuple(
            RecordedCall(**each | {"sequence_numbers": tuple(each["sequence_numbers"])})
            for each in found.pop("calls")
        )
        failures, states = tuple(found.pop("failures")), tuple(found.pop("states"))
        return Recording(**found, calls=calls, failures=failures, states=states)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StreamsError(
            f"{file} must be a recording as conformance/README.md describes it, got {error!r}; "
            "record it again"
        ) from error


def load_all(folder: Path) -> Sequence[Recording]:
    """Read every recording under a folder, in the order of their paths."""
    return [load(each) for each in sorted(folder.rglob("*.json"))]
