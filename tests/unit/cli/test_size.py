from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_streams.capacity import Prices
from cdk_streams.cli import _aws, main

CONTRACT = ["--item-bytes", "1000", "--record-ms", "5", "--call-ms", "20", "--target-lag", "10"]
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        },
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 512}},
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "FunctionName": {"Ref": "Function"},
                "StartingPosition": "LATEST",
                "MaximumRetryAttempts": 7,
            },
        },
    }
}


def size(*words: str) -> Result:
    return CliRunner().invoke(main, ["size", *words])


def sized(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(size(*words, "--json").stdout)
    return found


def test_a_day_is_sized_and_the_lines_to_paste_are_printed() -> None:
    result = size("--writes-per-second", "1000", *CONTRACT)
    assert result.exit_code == 0, result.output
    assert "86,400,000 writes in 24 h" in result.output
    assert re.search(r"lag, at most +[\d.]+ s", result.output)
    assert re.search(r"MappingSettings\(batch_size=\d+, max_batching_window=\d", result.output)
    assert "us-east-1, 2026-06-18" in result.output


def test_json_has_what_the_page_names() -> None:
    found = sized("--writes-per-second", "100", *CONTRACT)
    assert found["proposed"]["keeps_up"] is True
    assert found["proposed"]["lag_s"] <= 10
    assert (found["current"], found["shortage"]) == (None, None)
    told = {*re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8"))}
    assert {*found, *found["proposed"]} <= told


def test_what_would_keep_up_is_named_where_nothing_does() -> None:
    words = ["--writes-per-second", "100", "--record-ms", "500", "--hours", "1"]
    result = size(*words)
    assert result.exit_code == 1
    assert re.search(
        r"No settings keep up; what would, each alone: \d shards, [789]\d(\.\d)? ms a record",
        result.output,
    )
    short = sized(*words)["shortage"]
    assert size(*words, "--shards", str(short["shards"])).exit_code == 0
    assert size(*words, "--shards", str(short["shards"] - 1)).exit_code == 1


def test_todays_settings_stand_beside_and_what_is_not_sized_is_kept(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps(TEMPLATE))
    words = ["--writes-per-second", "100", "--hours", "1", *CONTRACT, "--record-ms", "50"]
    words += ["--template", str(template)]
    found = sized(*words)
    assert found["current"]["keeps_up"] is False
    assert found["current"]["memory_mb"] == found["proposed"]["memory_mb"] == 512
    assert found["proposed"]["settings"]["MaximumRetryAttempts"] == 7
    shown = size(*words)
    assert shown.exit_code == 1
    assert re.search(r"keeps up +no +yes", shown.output)


def test_a_csv_file_gives_the_rates(tmp_path: Path) -> None:
    day = tmp_path / "day.csv"
    day.write_text("minute,writes\n0,10\n60,200\n120,10\n")
    found = sized("--csv", str(day), *CONTRACT)
    assert (found["seconds"], found["peak_writes_per_second"]) == (10_800, 200)
    assert found["writes"] == 3600 * 220
    day.write_text("0,10\n60,many\n")
    result = size("--csv", str(day), *CONTRACT)
    assert result.exit_code == 2
    assert "line 2: each line must be a minute and writes a second" in result.output


def test_one_source_of_writes_is_needed() -> None:
    for words, got in (([], "none"), (["--table", "a", "--csv", "b"], "--csv and --table")):
        result = size("--record-ms", "1", *words)
        assert result.exit_code == 2
        assert f"one of --writes-per-second, --csv and --table, got {got}" in result.output


class Aws:
    """A table with two open shards, of which CloudWatch has two pages of an hour."""

    def client(self, _service: str) -> Aws:
        return self

    def describe_table(self, **_: str) -> dict[str, Any]:
        stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        return {"Table": {"LatestStreamArn": "arn:s", "StreamSpecification": stream}}

    def describe_stream(self, **_: str) -> dict[str, Any]:
        shard, ended = {"StartingSequenceNumber": "1"}, {"EndingSequenceNumber": "2"}
        shards = [{"SequenceNumberRange": each} for each in (shard, shard, shard | ended)]
        return {"StreamDescription": {"Shards": shards}}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        minute = 30 if "NextToken" in asked else 0
        at = asked["StartTime"] + timedelta(minutes=minute)
        result = {"MetricDataResults": [{"Timestamps": [at], "Values": [12_000.0]}]}
        return result if minute else result | {"NextToken": "more"}


def test_a_tables_history_shards_and_view_type_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_aws, "aws", lambda *_: Aws().client)
    found = sized("--table", "Orders", "--hours", "1", *CONTRACT)
    assert (found["shards"], found["seconds"]) == (2, 3600)
    # Two minutes with 12,000 units each, one a write of 1,000 bytes.
    assert (found["writes"], found["peak_writes_per_second"]) == (24_000, 200)


def test_prices_can_be_given() -> None:
    words = ["--writes-per-second", "10", "--hours", "1", *CONTRACT]
    free = sized(*words, "--request-price", "0", "--gb-second-price", "0")
    assert free["proposed"]["cost_usd"] == 0
    assert sized(*words)["proposed"]["cost_usd"] > 0


def test_more_memory_is_proposed_where_it_pays() -> None:
    words = ["--writes-per-second", "100", "--record-ms", "400", "--memory-mb", "128"]
    assert sized(*words, "--hours", "1")["proposed"] is None
    found = sized(*words, "--hours", "1", "--cpu-share", "1")
    assert found["proposed"]["memory_mb"] > 128


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.html", b"<!doctype html>")]
)
def test_the_lag_is_drawn_into_a_file(name: str, begins: bytes, tmp_path: Path) -> None:
    picture = tmp_path / name
    words = ["--writes-per-second", "10", "--hours", "1", *CONTRACT, "--plot", str(picture)]
    assert size(*words).exit_code == 0
    drawn = picture.read_bytes()
    assert drawn.startswith(begins)
    if not name.endswith("png"):
        assert b"</svg>" in drawn


def test_a_file_that_cannot_be_read_or_written_is_one_line(tmp_path: Path) -> None:
    words = ["--record-ms", "1", "--hours", "1"]
    read = size("--csv", str(tmp_path / "none.csv"), *words)
    written = size("--writes-per-second", "1", *words, "--plot", str(tmp_path / "none" / "a.svg"))
    assert (read.exit_code, written.exit_code) == (2, 2)
    assert read.output.endswith("none.csv could not be read: No such file or directory\n")
    assert written.output.endswith("a.svg could not be written: No such file or directory\n")


def test_a_quiet_table_gets_settings_near_the_defaults() -> None:
    found = sized("--writes-per-second", "0.01", "--record-ms", "1")["proposed"]
    assert (found["batch_size"], found["max_batching_window_s"]) == (100, 0)
    assert found["parallelization_factor"] == 1


def test_another_kind_of_picture_is_refused_before_anything_is_done() -> None:
    result = size("--writes-per-second", "10", "--record-ms", "1", "--plot", "a.pdf")
    assert result.exit_code == 2
    assert "it must end with .png, .svg, .html, got 'a.pdf'" in result.output


def test_the_test_on_the_page_passes() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - our own page
    names["test_the_audit_keeps_up"]()


def test_the_help_names_the_prices_that_are_taken() -> None:
    prices = Prices()
    shown = " ".join(CliRunner().invoke(main, ["size", "--help"]).output.split())
    assert f"{prices.per_million_requests:.2f}, {prices.region} on {prices.as_of}" in shown
    assert f"{prices.per_gb_second:.10f}, x86 in {prices.region} on {prices.as_of}" in shown
