"""`cdk-streams redrive --only ID`, the question on a terminal, and thousands of failure records."""

from __future__ import annotations

import json
import re
import tracemalloc
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import _aws, main
from tests.bench.fake_aws import BUCKET, FUNCTION, QUEUE_URL, FakeAws

MAIL = FUNCTION.replace("audit", "mail")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    made.functions.mappings[MAIL] = made.mapping(MAIL, "uuid-2")
    monkeypatch.setattr(_aws, "aws", lambda *_: made.client)
    return made


def run(*options: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, ["redrive", "--queue", QUEUE_URL, *options], input=answer)


def ids(text: str) -> list[str]:
    return re.findall(r"\bID ([0-9a-f]{8}),", text)


def called(aws: FakeAws) -> list[list[str]]:
    return [
        [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        for _, event in aws.functions.calls
    ]


def test_an_id_is_of_the_batch_and_not_of_its_message(aws: FakeAws) -> None:
    aws.fail(0, 1)
    aws.fail(2, 2)
    before = ids(run().output)
    aws.queue.messages = {f"again-{n}": text for n, text in enumerate(aws.queue.messages.values())}
    assert ids(run().output) == before
    assert len(set(before)) == 2


def test_only_what_is_named_is_called_and_deleted(aws: FakeAws) -> None:
    for ordinal in range(4):
        aws.fail(ordinal, ordinal)
    wanted = ids(run().output)[1:3]
    answer = run("--yes", "--only", wanted[0], "--only", wanted[1], "--limit", "1")
    assert answer.exit_code == 0, answer.output
    assert called(aws) == [[aws.numbers[1]], [aws.numbers[2]]]
    assert len(aws.queue.messages) == 2
    assert aws.queue.hidden == set()


def test_a_message_of_two_objects_stays_until_both_are_redriven_together(aws: FakeAws) -> None:
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", f"arn:aws:s3:::{BUCKET}")
    aws.notify(aws.keep(0, 0), aws.keep(1, 1))
    first, second = ids(run().output)
    assert run("--yes", "--only", first).exit_code == 0
    assert (len(aws.queue.messages), aws.queue.hidden) == (1, set())
    assert run("--yes", "--only", first, "--only", second).exit_code == 0
    assert aws.queue.messages == {}
    assert called(aws) == [[aws.numbers[0]], [aws.numbers[0]], [aws.numbers[1]]]


def test_an_unknown_id_is_told_and_nothing_is_called(aws: FakeAws) -> None:
    aws.fail(0, 0)
    answer = run("--yes", "--only", "0123abcd")
    assert answer.exit_code == 2
    assert answer.output == (
        "Error: there is no failure record with the ID 0123abcd among 1; `cdk-streams failures "
        "list` shows those that there are\n"
    )
    assert (called(aws), aws.queue.hidden) == ([], set())


@pytest.mark.parametrize("wrong", ["1", "0123ABCD", "0123abcd0"])
def test_what_is_no_id_is_refused(wrong: str) -> None:
    answer = run("--only", wrong)
    assert answer.exit_code == 2
    assert "it must be an ID of eight digits and letters a to f" in answer.output


class TestTerminal:
    @pytest.fixture(autouse=True)
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cdk_streams.cli._redrive.redrive_session.is_terminal", lambda: True)

    def test_its_user_is_asked_and_yes_calls(self, aws: FakeAws) -> None:
        aws.fail(0, 2)
        aws.fail(3, 3, function=MAIL)
        answer = run(answer="y\n")
        assert answer.exit_code == 0, answer.output
        assert "Call audit with 3 records and mail with 1 record? [y/N]" in answer.output
        assert called(aws) == [aws.numbers[:3], aws.numbers[3:]]
        assert aws.queue.messages == {}

    @pytest.mark.parametrize("word", ["n\n", "\n"])
    def test_anything_but_yes_calls_nothing(self, aws: FakeAws, word: str) -> None:
        aws.fail(0, 0)
        answer = run(answer=word)
        assert answer.exit_code == 0
        assert answer.output.endswith("nothing was called or deleted; --yes carries this out\n")
        assert (called(aws), len(aws.queue.messages), aws.queue.hidden) == ([], 1, set())

    def test_nobody_is_asked_about_what_cannot_be_called(self, aws: FakeAws) -> None:
        aws.fail(0, 0)
        aws.streams.trim("s", through=aws.numbers[0])
        assert "[y/N]" not in run().output

    def test_with_yes_nobody_is_asked(self, aws: FakeAws) -> None:
        aws.fail(0, 0)
        assert "[y/N]" not in run("--yes").output
        assert len(called(aws)) == 1


def test_a_message_that_others_may_have_received_meanwhile_is_not_called_with(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.fail(0, 0)

    def answered_late() -> bool:
        aws.queue.hidden.clear()
        return True

    monkeypatch.setattr("cdk_streams.cli._redrive.redrive_session.is_terminal", answered_late)
    answer = run(answer="y\n")
    assert answer.exit_code == 1
    assert "1. kept: others may have received its message; run the command again" in answer.output
    assert called(aws) == []


class TestFiveThousand:
    COUNT = 5_000

    @pytest.fixture
    def numbers(self, aws: FakeAws) -> list[str]:
        image = {"ordinal": {"N": "0"}}
        aws.numbers = [aws.streams.write("s", image) for _ in range(self.COUNT)]
        for ordinal in range(self.COUNT):
            aws.fail(ordinal, ordinal)
        return aws.numbers

    def test_an_interruption_in_the_middle_loses_nothing(
        self, aws: FakeAws, numbers: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invoke = aws.functions.invoke

        def interrupted(**request: Any) -> dict[str, Any]:
            if len(aws.functions.calls) == self.COUNT // 2:
                raise KeyboardInterrupt
            return invoke(**request)

        monkeypatch.setattr(aws.functions, "invoke", interrupted)
        first = run("--yes", "--limit", str(self.COUNT))
        assert "interrupted: 2,500 redriven, 2,500 kept" in first.output
        assert (len(aws.queue.messages), aws.queue.hidden) == (2_500, set())
        monkeypatch.setattr(aws.functions, "invoke", invoke)
        assert run("--yes", "--limit", str(self.COUNT)).exit_code == 0
        assert called(aws) == [[number] for number in numbers]
        assert aws.queue.messages == {}


def test_the_data_of_one_failure_record_is_held_at_a_time(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred objects of half a megabyte: 100 MB, of which a tenth is ever in memory."""
    monkeypatch.setattr("cdk_streams.cli._redrive.redrive_session._PLANNED_BYTES", 2_000_000)
    aws.functions.mappings[FUNCTION] = aws.mapping(FUNCTION, "uuid-1", f"arn:aws:s3:::{BUCKET}")
    key = aws.keep(0, 0)
    body = json.loads(aws.objects.pop((BUCKET, key)))
    event = json.loads(body["payload"])
    event["Records"][0]["dynamodb"]["NewImage"]["text"] = {"S": "x" * 500_000}
    text = json.dumps(body | {"payload": json.dumps(event)})
    keys = [f"{key}-{n:03}" for n in range(200)]
    aws.objects = {(BUCKET, each): text for each in keys}
    aws.notify(*keys)
    monkeypatch.setattr(aws.functions, "calls", _Forgetful())
    tracemalloc.start()
    try:
        assert run("--yes", "--limit", "1000").exit_code == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert aws.queue.messages == {}


class _Forgetful(list[Any]):
    """Keeps no event that a function was called with."""

    def append(self, _event: Any) -> None:
        pass


def test_nothing_is_drawn_where_standard_error_is_no_terminal(aws: FakeAws) -> None:
    aws.fail(0, 0)
    assert run().stderr == ""
