from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.data import RateLimit, Side, backfill, backfill_export, open_export, side_of
from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.testing import FakeDynamoDB, RequestFailed
from lambda_runtime import encode
from lambda_runtime._tables.conditional_writes import padded
from lambda_runtime.replication import backfill_mark

KEYS = {"Orders": ("pk",), "Copy": ("pk",), "Shaped": ("status", "order")}


def tables(count: int = 250, **options: Any) -> FakeDynamoDB:
    made = FakeDynamoDB(KEYS, **options)
    made.write(
        "Orders",
        *({"pk": f"order-{number}", "n": number, "raw": b"\0"} for number in range(count)),
    )
    return made


def sides(fake: FakeDynamoDB, target: str = "Copy") -> tuple[Side, Side]:
    return side_of(fake, "Orders"), side_of(fake, target)


def test_every_item_is_written() -> None:
    fake = tables()
    seen: list[int] = []

    result = backfill(*sides(fake), segments=3, observe=lambda counts: seen.append(counts.read))

    assert fake.items("Copy") == fake.items("Orders")
    assert (result.counts.read, result.counts.written, result.counts.superseded) == (250, 250, 0)
    assert sum(seen) == 250


def test_what_the_stream_has_brought_stays() -> None:
    fake = tables(3)
    newer = {"pk": "order-1", "n": 99, "_stream_sequence": f"{7:040}"[:-21] + "9" * 21}
    fake.write("Copy", newer)
    fake.write("Copy", {"pk": "order-2", "_stream_deleted": True, "_stream_sequence": "9" * 40})

    result = backfill(*sides(fake))

    assert {each["pk"]: each["n"] for each in fake.items("Copy")} == {"order-0": 0, "order-1": 99}
    assert (result.counts.written, result.counts.superseded) == (1, 2)


@pytest.mark.parametrize("number", ["1", "000000000000000000001", "9" * 21, "9" * 40])
def test_every_change_of_the_stream_is_newer_than_what_was_read(number: str) -> None:
    # DynamoDB Local counts from 1, padded to 21 digits.
    read = [backfill_mark(at_s) for at_s in (1, 1_795_676_400, 9_999_999_999)]
    assert read == sorted(read)
    assert max(read) < padded(number)
    assert {len(mark) for mark in read} == {len(padded(number))}


def test_a_later_backfill_replaces_what_an_earlier_one_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = tables(1)
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    backfill(*sides(fake))
    fake.write("Orders", {"pk": "order-0", "n": 5})
    monkeypatch.setattr("time.time", lambda: 2_000.0)
    backfill(*sides(fake))
    assert fake.items("Copy") == [{"pk": "order-0", "n": 5}]


def test_items_are_transformed_and_name_their_source() -> None:
    fake = tables(2)

    def shape(item: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"status": s, "order": item["pk"]} for s in ("A", "B")]

    result = backfill(*sides(fake, "Shaped"), transform=shape)

    assert len(fake.items("Shaped")) == result.counts.written == 4
    assert {each["_stream_source"] for each in fake.stored("Shaped")} == {
        '{"pk":{"S":"order-0"}}',
        '{"pk":{"S":"order-1"}}',
    }


def test_items_that_the_transform_refuses_are_named_and_the_others_written() -> None:
    fake = tables(3)

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        return {"status": "A", "order": item["pk"] if item["n"] != 1 else ""}

    result = backfill(*sides(fake, "Shaped"), transform=shape)

    assert len(fake.items("Shaped")) == 2
    (failure,) = result.counts.failures
    assert failure.startswith("pk='order-1': an item of the target must have the key attributes")


def test_a_backfill_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    left = [7]

    def fail_once(operation: str, _request: dict[str, Any]) -> None:
        if operation == "BatchExecuteStatement":
            left[0] -= 1
            if left[0] == 0:
                raise RequestFailed("InternalServerError")

    fake = tables(on_request=fail_once, page_size=20)
    file = tmp_path / "progress"
    with pytest.raises(RequestFailed):
        backfill(*sides(fake), segments=1, progress_file=file)
    written = len(fake.items("Copy"))
    assert 0 < written < 250

    scanned: list[Any] = []
    result = backfill(
        *sides(fake), segments=1, progress_file=file, observe=lambda _: scanned.append(1)
    )

    assert fake.items("Copy") == fake.items("Orders")
    assert (result.counts.read, result.resumed) == (250, 120)
    assert len(scanned) == (250 - 120 + 19) // 20
    assert not file.exists()


def test_a_progress_file_of_another_backfill_is_refused(tmp_path: Path) -> None:
    def fail(operation: str, _request: dict[str, Any]) -> None:
        if operation == "Scan":
            raise RequestFailed("InternalServerError")

    fake = tables(1, on_request=fail)
    file = tmp_path / "progress"
    with pytest.raises(RequestFailed):
        backfill(*sides(fake), segments=1, progress_file=file)
    with pytest.raises(SourceError, match="is of another backfill") as refused:
        backfill(*sides(fake), segments=2, progress_file=file)
    assert "(Orders to Copy in 1 segments" in str(refused.value)
    # SQLite removes its two files beside it when the last connection is closed.
    assert [each.name for each in tmp_path.iterdir()] == ["progress"]
    file.write_text("no database, and long enough to be told from an empty one" * 9)
    with pytest.raises(SourceError, match="the progress file must be one of a backfill"):
        backfill(*sides(fake), segments=1, progress_file=file)


def test_binary_keys_are_kept_in_the_progress_file(tmp_path: Path) -> None:
    fake = FakeDynamoDB({"Orders": ("pk",), "Copy": ("pk",)}, page_size=1)
    fake.write("Orders", {"pk": b"\0\xff"}, {"pk": b"\1"}, {"pk": b"\2"})
    result = backfill(*sides(fake), segments=1, progress_file=tmp_path / "progress")
    assert result.counts.read == 3
    assert fake.items("Copy") == fake.items("Orders")


def test_where_there_are_no_inserts_items_are_put_one_by_one() -> None:
    def refuse(operation: str, _request: dict[str, Any]) -> None:
        if operation == "BatchExecuteStatement":
            raise RequestFailed("UnknownOperationException")

    fake = tables(30, on_request=refuse)
    assert backfill(*sides(fake)).counts.written == 30
    assert fake.items("Copy") == fake.items("Orders")


def test_a_rate_limit_spreads_the_items() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    rate = RateLimit(100, clock=lambda: now[0], sleep=sleep)
    backfill(*sides(tables(500, page_size=50)), segments=1, rate=rate)
    # 500 items at 100 a second, of which the last page need not wait for its own end.
    assert 3.4 <= now[0] <= 5
    with pytest.raises(SettingsError, match="must be above 0 items a second, got 0"):
        RateLimit(0)


def test_a_table_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(SourceError, match="the table must exist, got 'Nowhere'"):
        side_of(tables(), "Nowhere")


# Exports.


def exported(folder: Path, items: list[dict[str, Any]], **summary: Any) -> Path:
    """Write an export of two data files as DynamoDB does."""
    (folder / "data").mkdir(parents=True)
    halves = items[::2], items[1::2]
    lines = []
    for number, half in enumerate(halves):
        name = f"file{number}.json.gz"
        text = "".join(json.dumps({"Item": encode(item)["M"]}) + "\n" for item in half)
        (folder / "data" / name).write_bytes(gzip.compress(text.encode()))
        key = f"AWSDynamoDB/01693685827463-2d8752fd/data/{name}"
        lines.append(json.dumps({"itemCount": len(half), "dataFileS3Key": key}))
    (folder / "manifest-files.json").write_text("\n".join(lines) + "\n")
    said = {
        "version": "2023-08-01",
        "exportTime": "2026-11-26T07:00:00Z",
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
        "itemCount": len(items),
    }
    (folder / "manifest-summary.json").write_text(json.dumps({**said, **summary}))
    return folder


def test_an_export_is_written_as_a_scan_is(tmp_path: Path) -> None:
    fake = tables(21)
    export = open_export(str(exported(tmp_path / "export", fake.stored("Orders"))), lambda: None)
    assert export.item_count == 21

    result = backfill_export(export, *sides(fake), progress_file=tmp_path / "progress")

    assert fake.items("Copy") == fake.items("Orders")
    assert result.counts.written == 21
    assert {each["_stream_sequence"] for each in fake.stored("Copy")} == {f"-{1795676400000:039}"}


class Bucket:
    """What of S3 an export is read by: the files of a folder, under a prefix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert Bucket == "exports"
        path = self._folder / Key.removeprefix("AWSDynamoDB/0169/")
        if not path.exists():
            raise RequestFailed("NoSuchKey")
        return {"Body": path.open("rb")}


def test_an_export_in_s3_is_read_from_there(tmp_path: Path) -> None:
    fake = tables(3)
    bucket = Bucket(exported(tmp_path / "export", fake.stored("Orders")))
    export = open_export("s3://exports/AWSDynamoDB/0169", lambda: bucket)
    backfill_export(export, *sides(fake))
    assert fake.items("Copy") == fake.items("Orders")
    with pytest.raises(SourceError, match="must be the folder with manifest-summary"):
        open_export("s3://exports/elsewhere", lambda: bucket)


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({"exportType": "INCREMENTAL_EXPORT"}, "must be a FULL_EXPORT in DYNAMODB_JSON, got INC"),
        ({"outputFormat": "ION"}, "got FULL_EXPORT in ION"),
        ({"exportTime": None}, "must say the exportTime"),
    ],
)
def test_another_kind_of_export_is_refused(
    tmp_path: Path, summary: dict[str, Any], message: str
) -> None:
    folder = exported(tmp_path / "export", [], **summary)
    with pytest.raises(SourceError, match=message):
        open_export(str(folder), lambda: None)


def test_a_line_that_is_no_item_is_named(tmp_path: Path) -> None:
    fake = tables(1)
    folder = exported(tmp_path / "export", fake.stored("Orders"))
    (folder / "data" / "file1.json.gz").write_bytes(gzip.compress(b'{"Keys": {}}\n'))
    export = open_export(str(folder), lambda: None)
    with pytest.raises(Exception, match=r"data/file1\.json\.gz, line 1: must hold an item"):
        backfill_export(export, *sides(fake))


def test_binary_of_an_export_is_base64(tmp_path: Path) -> None:
    fake = tables(1)
    folder = exported(tmp_path / "export", fake.stored("Orders"))
    text = gzip.decompress((folder / "data" / "file0.json.gz").read_bytes()).decode()
    assert b64encode(b"\0").decode() in text
    backfill_export(open_export(str(folder), lambda: None), *sides(fake))
    assert fake.items("Copy")[0]["raw"] == b"\0"
