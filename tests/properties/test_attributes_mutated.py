"""100,000 damaged events: each gives a result or a documented error, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lambda_runtime import Modify, Remove, StreamRuntimeError, encode, parse, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = 100_000
RUNS = 10

# What is put in the place of something else: every JSON type, and near misses of each field.
JUNK: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**400, float("nan"), "", "abc", "NaN", "1_0", "\ud800", "é",
    [], {}, [None], {"S": 1}, {"N": "x"}, {"B": "?"}, {"X": "y"}, {"S": "a", "N": "1"}, {"SS": []},
    {"NS": ["1", "1.0"]}, {"L": {}}, {"M": []}, {"NULL": False}, {"BOOL": "true"}, "aws:sqs",
    "INSERT", "MODIFY", "REMOVE", "KEYS_ONLY", b"bytes", ("a",),
]  # fmt: skip


@dataclass
class Order:
    pk: str
    n: int
    more: dict[str, list[int | str | None]]


_IMAGE = {
    "pk": {"S": "a"},
    "n": {"N": "12"},
    "b": {"B": "aGk="},
    "sets": {"L": [{"SS": ["a", "b"]}, {"NS": ["1", "2.5"]}, {"BS": ["aGk="]}]},
    "more": {"M": {"deep": {"L": [{"N": "1"}, {"S": "x"}, {"NULL": True}, {"BOOL": True}]}}},
}
EVENT = json.dumps(
    {
        "Records": [
            {
                "eventID": "1",
                "eventName": name,
                "eventSource": "aws:dynamodb",
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/T/stream/2026",
                "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
                "dynamodb": {
                    "ApproximateCreationDateTime": 1789654328.25,
                    "Keys": {"pk": {"S": "a"}},
                    "NewImage": _IMAGE,
                    "OldImage": {**_IMAGE, "n": {"N": "13"}},
                    "SequenceNumber": "100",
                    "SizeBytes": 61,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            }
            for name in ("MODIFY", "REMOVE")
        ]
    }
)

READS: list[Callable[[Any], object]] = [
    lambda change: change.event_id,
    lambda change: change.sequence_number,
    lambda change: change.created_at,
    lambda change: change.size_bytes,
    lambda change: change.view_type,
    lambda change: change.source.table,
    lambda change: change.user_identity,
    lambda change: (change.has_new, change.has_old, hash(change), repr(change)),
    lambda change: change.keys.to_dict(),
    lambda change: change.new.to_dict(),
    lambda change: [change.new.get(name) for name in ("n", "b", "sets", "no such attribute")],
    lambda change: [change.old[name] for name in change.old],
    lambda change: encode(change.new),
    lambda change: change.new.to(Order),
    to_json,
    lambda change: isinstance(change, Modify) and change.changes(),
    lambda change: isinstance(change, Modify) and change.changed("n", "sets", "more"),
    lambda change: isinstance(change, Remove) and change.expired,
]


def damage(document: Any, chance: random.Random) -> Any:
    """Replace, remove, rename or double something, at a random depth."""
    if not isinstance(document, (dict, list)) or not document or chance.random() < 0.001:
        return copy.deepcopy(chance.choice(JUNK))
    target = document
    for _ in range(chance.randrange(10)):
        members = list(target.values()) if isinstance(target, dict) else target
        inner = [one for one in members if isinstance(one, (dict, list)) and one]
        if not inner:
            break
        target = chance.choice(inner)
    places = list(target) if isinstance(target, dict) else range(len(target))
    place = chance.choice(list(places))
    junk = copy.deepcopy(chance.choice(JUNK))
    match chance.randrange(4), target:
        case 0, dict():
            del target[place]
        case 1, dict():
            target[junk if isinstance(junk, str) else "X"] = target.pop(place)
        case 2, list():
            target.append(target[place])
        case _:
            target[place] = junk
    return document


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_damaged_event_gives_a_result_or_a_documented_error(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the seed is the reproduction
    outcomes = {"result": 0, "error": 0}
    for _ in range(EVENTS // RUNS):
        sent = json.loads(EVENT)
        for _ in range(chance.choice((1, 1, 2))):
            sent = damage(sent, chance)
        changes = outcome_of(parse, sent, outcomes)
        for change in changes or []:
            outcome_of(chance.choice(READS), change, outcomes)

    # Both happen a lot, or the damage tests nothing.
    assert min(outcomes.values()) > EVENTS // RUNS // 3


def outcome_of(read: Callable[[Any], Any], sent: Any, outcomes: dict[str, int]) -> Any:
    try:
        answer = read(sent)
    except StreamRuntimeError:
        outcomes["error"] += 1
        return None
    outcomes["result"] += 1
    return answer
