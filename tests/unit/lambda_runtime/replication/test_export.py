"""The worker of a distributed backfill, on files as DynamoDB exports them."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime.replication import (
    BackfillWriter,
    ReplicaError,
    Settings,
    backfill_export_file,
    export_mark,
    use_client,
)
from lambda_runtime.replication._export import written_export_file

EVENT = {
    "bucket": "exports",
    "key": "AWSDynamoDB/0169/data/abc.json.gz",
    "exportTime": "2026-11-26T07:00:00.123Z",
    "line": 0,
    "read": 0,
    "written": 0,
    "superseded": 0,
}


class Context:
    """A Lambda context in which each look at the clock costs 100 s."""

    def __init__(self) -> None:
        self._left_ms = 260_000

    def get_remaining_time_in_millis(self) -> int:
        self._left_ms -= 100_000
        return self._left_ms


def data_file(count: int) -> io.BytesIO:
    items = ({"Item": {"pk": {"S": f"order-{n}"}, "raw": {"B": "AAEC"}}} for n in range(count))
    return io.BytesIO(gzip.compress("\n".join(map(json.dumps, items)).encode()))


@pytest.fixture
def fake() -> FakeDynamoDB:
    return FakeDynamoDB({"Copy": ("pk",)})


def writer(fake: FakeDynamoDB, **options: Any) -> BackfillWriter:
    return BackfillWriter(Settings(table="Copy", keys=("pk",)), ("pk",), client=fake, **options)


def test_a_file_is_written_whole(fake: FakeDynamoDB) -> None:
    answer = written_export_file(dict(EVENT), writer(fake), data_file(1_200), None)
    assert answer == {**EVENT, "line": -1, "read": 1_200, "written": 1_200}
    assert len(fake.items("Copy")) == 1_200
    assert fake.items("Copy")[0]["raw"] == b"\0\1\2"


def test_a_file_that_takes_longer_than_a_call_is_gone_on_with(fake: FakeDynamoDB) -> None:
    event: dict[str, Any] = dict(EVENT)
    lines = []
    while event["line"] != -1:
        event = written_export_file(event, writer(fake), data_file(1_700), Context())
        lines.append(event["line"])
    assert lines == [500, 1_000, 1_500, -1]
    assert (event["read"], event["written"]) == (1_700, 1_700)


def test_writing_a_file_again_changes_nothing(fake: FakeDynamoDB) -> None:
    written_export_file(dict(EVENT), writer(fake), data_file(10), None)
    before = fake.stored("Copy")
    again = written_export_file(dict(EVENT), writer(fake), data_file(10), None)
    assert (again["written"], again["superseded"]) == (0, 10)
    assert fake.stored("Copy") == before


def test_an_item_that_cannot_be_written_fails_the_call(fake: FakeDynamoDB) -> None:
    with pytest.raises(ReplicaError, match=r"abc\.json\.gz: items could not be written; the first"):
        written_export_file(dict(EVENT), writer(fake, transform=lambda _: {}), data_file(2), None)


def test_the_moment_of_an_export_may_be_text_or_seconds() -> None:
    assert export_mark({"exportTime": "2026-11-26T07:00:00Z"}) == export_mark(
        {"exportTime": 1_795_676_400}
    )


def test_the_handler_reads_the_bucket_and_the_environment(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    class S3:
        def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
            assert (Bucket, Key) == (EVENT["bucket"], EVENT["key"])
            return {"Body": data_file(3)}

    monkeypatch.setattr("boto3.client", lambda _: S3())
    monkeypatch.setenv("STREAM_REPLICA_TABLE", "Copy")
    monkeypatch.setenv("STREAM_REPLICA_KEYS", "pk")
    monkeypatch.setenv("STREAM_REPLICA_SOURCE_KEYS", "pk")
    with use_client(fake):
        assert backfill_export_file(dict(EVENT))["line"] == -1
    assert len(fake.items("Copy")) == 3
