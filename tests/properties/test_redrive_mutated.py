"""Damaged messages and objects in front of a redrive: each is reported and left, or called rightly.

The gate runs 2,000; `python -m tests.properties.test_redrive_mutated 10000` runs as many as named.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_URL, FakeAws

MESSAGES = 2_000
A_RUN = 40
MAIL = FUNCTION.replace("audit", "mail")

# What is put in the place of something else: every JSON type, and near misses of each field.
JUNK: list[Any] = [
    None, True, False, 0, -1, 1, 2, 1.5, 10**30, 10**400, float("nan"), float("inf"), "", "s",
    "\ud800", "\x1b[2J", "a\nb", "\u202e", "9" * 5_000, "0", "-1", "1e3", "\u0663", "x" * 70_000,
    [], {}, [None], [[]], {"": {}}, "aws:s3", "ObjectCreated:Put", "aws/lambda/", "aws/lambda/x",
    BUCKET, FUNCTION, MAIL, FUNCTION + ":7", "arn:aws:lambda:::function:", "arn:aws:sqs:::x",
    "RetryAttemptsExhausted", '{"Records": []}', '{"Records": [{}]}', "[" * 5_000,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each part of a JSON value below its root."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [found for key, part in inside for found in ((*path, key), *places(part, (*path, key)))]


def damaged(rng: random.Random, body: Any) -> Any:
    """Return a copy of a JSON value with one to three parts replaced, removed or added."""
    value = copy.deepcopy(body)
    for _ in range(rng.randint(1, 3)):
        if not (paths := places(value)):
            break
        *above, last = rng.choice(paths)
        part = value
        for key in above:
            part = part[key]
        match rng.randrange(4):
            case 0:
                del part[last]
            case 1 if isinstance(part, dict):
                part[rng.choice(["payload", "Records", "Type", "timeWindowInfo", "s3"])] = (
                    rng.choice(JUNK)
                )
            case _:
                part[last] = copy.deepcopy(rng.choice(JUNK))
    return value


def damaged_text(rng: random.Random, text: str) -> str:
    """Return a text with some of its characters cut, doubled or replaced."""
    if rng.random() < 0.7:
        return text
    cut = rng.randrange(len(text))
    return text[:cut] + rng.choice(["", text[cut:][:9], '"', "}", "\\", "\ud800"]) + text[cut + 1 :]


def fill(aws: FakeAws, rng: random.Random) -> None:
    """Put a damaged failure record, notification or object into the queue and the bucket."""
    window = {"timeWindowInfo": {"isFinalInvokeForWindow": True, "isWindowTerminatedEarly": False}}
    first = rng.randrange(3)
    kind = rng.randrange(4)
    if kind == 0:
        body: Any = aws.failure(first, rng.randint(first, 3)) | rng.choice([{}, window])
        if rng.random() < 0.3:
            body = {"Type": "Notification", "Message": json.dumps(damaged(rng, body))}
        aws.queue.put(None)
        aws.queue.messages[[*aws.queue.messages][-1]] = damaged_text(
            rng, json.dumps(damaged(rng, body))
        )
        return
    key = aws.keep(first, rng.randint(first, 3), function=MAIL)
    held = json.loads(aws.objects.pop((BUCKET, key)))
    if kind == 1:
        held["payload"] = json.dumps(damaged(rng, json.loads(held["payload"])))
    elif kind == 2:
        held = damaged(rng, held)
    key += f"-{rng.random()}"
    aws.objects[BUCKET, key] = damaged_text(rng, json.dumps(held))
    aws.notify(key)
    if kind == 3:
        message = [*aws.queue.messages][-1]
        notification = damaged(rng, json.loads(aws.queue.messages[message]))
        aws.queue.messages[message] = damaged_text(rng, json.dumps(notification))


def check(seed: int) -> int:
    """Redrive a queue of damaged messages around good ones; return how many calls were made."""
    rng = random.Random(seed)  # noqa: S311 - the same damage for the same seed
    aws = FakeAws()
    aws.functions.mappings[MAIL] = aws.mapping(MAIL, "uuid-2", f"arn:aws:s3:::{BUCKET}")
    for _ in range(A_RUN):
        fill(aws, rng)
    good = aws.streams.write("s", {"ordinal": {"N": "4"}})
    aws.numbers.append(good)
    aws.fail(4, 4)
    messages = len(aws.queue.messages)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_aws, "aws", lambda *_: aws.client)
        answer = CliRunner().invoke(main, ["redrive", "--queue", QUEUE_URL, "--yes"])
    assert isinstance(answer.exception, SystemExit | None), (seed, answer.exception)
    assert answer.exit_code in {0, 1}, (seed, answer.output)
    assert all(line.isprintable() for line in answer.output.splitlines()), seed
    assert {function for function, _ in aws.functions.calls} <= {FUNCTION, MAIL}, seed
    # What a message in the queue names is read from the stream, not from the message.
    own = [event for function, event in aws.functions.calls if function == FUNCTION]
    numbers = {record["dynamodb"]["SequenceNumber"] for event in own for record in event["Records"]}
    assert good in numbers, seed
    assert numbers <= {*aws.numbers}, seed
    assert len(aws.functions.calls) <= messages, seed
    assert aws.queue.hidden.isdisjoint(aws.queue.messages), seed
    return len(aws.functions.calls)


@pytest.mark.parametrize("seed", range(MESSAGES // A_RUN))
def test_damaged_messages_and_objects_never_end_a_redrive(seed: int) -> None:
    check(seed)


if __name__ == "__main__":
    runs = int(sys.argv[1]) // A_RUN
    made = sum(check(seed) for seed in range(runs))
    print(f"{runs * A_RUN:,} damaged messages and objects, {made:,} calls")  # noqa: T201 - a script
