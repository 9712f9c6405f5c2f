from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.data import Comparison, Difference, Side, backfill, compare, repair, side_of
from cdk_streams.errors import SourceError
from cdk_streams.testing import FakeDynamoDB, RequestFailed

KEYS = {"Orders": ("pk",), "Copy": ("pk",), "Shaped": ("status", "order")}


@pytest.fixture
def fake() -> FakeDynamoDB:
    made = FakeDynamoDB(KEYS, page_size=7)
    made.write("Orders", *({"pk": f"order-{n}", "n": n, "status": "PAID"} for n in range(40)))
    return made


def sides(fake: FakeDynamoDB, target: str = "Copy") -> tuple[Side, Side]:
    return side_of(fake, "Orders"), side_of(fake, target)


def compared(fake: FakeDynamoDB, target: str = "Copy", **options: Any) -> Comparison:
    return compare(*sides(fake, target), **{"sleep": lambda _: None, **options})


def shape(item: dict[str, Any]) -> dict[str, Any]:
    return {"status": item["status"], "order": item["pk"], "n": item["n"]}


def test_a_replica_is_equal_to_its_source(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake))
    found = compared(fake)
    assert found.is_equal
    assert (found.source_items, found.target_items) == (40, 40)


def test_each_difference_is_named_by_key_with_what_differs(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake))
    fake.write("Copy", {"pk": "order-1", "n": 7, "more": True})
    fake.write("Copy", {"pk": "nobody's"})
    fake.write("Orders", {"pk": "new"})

    found = compared(fake).differences

    by_key = {each.key["pk"]: each for each in found}
    assert {key: each.kind for key, each in by_key.items()} == {
        "order-1": "different",
        "nobody's": "extra",
        "new": "missing",
    }
    assert by_key["order-1"].attributes == {
        "n": (1, 7),
        "status": ("PAID", None),
        "more": (None, True),
    }


def test_a_tombstone_is_no_item(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake))
    fake.write("Copy", {"pk": "gone", "_stream_deleted": True})
    assert compared(fake).is_equal
    fake.write("Copy", {"pk": "order-1", "_stream_deleted": True})
    assert [each.kind for each in compared(fake).differences] == ["missing"]


def test_the_spelling_of_a_number_is_no_difference(fake: FakeDynamoDB) -> None:
    fake = FakeDynamoDB({"Orders": ("n",), "Copy": ("n",)})
    fake.put_item(TableName="Orders", Item={"n": {"N": "1.50"}, "x": {"NS": ["1.0", "2"]}})
    fake.put_item(TableName="Copy", Item={"n": {"N": "1.5"}, "x": {"NS": ["2", "1"]}})
    assert compared(fake).is_equal


def test_a_transformed_replica_is_compared_with_what_it_should_be(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake, "Shaped"), transform=shape)
    assert compared(fake, "Shaped", transform=shape).is_equal

    fake.write("Orders", {"pk": "order-1", "n": 1, "status": "PLACED"})

    found = compared(fake, "Shaped", transform=shape).differences
    assert {(each.kind, each.key["status"]) for each in found} == {
        ("extra", "PAID"),
        ("missing", "PLACED"),
    }


def test_an_item_without_a_source_is_extra_in_a_transformed_replica(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake, "Shaped"), transform=shape)
    fake.write("Shaped", {"status": "ODD", "order": "x"})
    (extra,) = compared(fake, "Shaped", transform=shape).differences
    assert (extra.kind, extra.key, extra.source_key) == (
        "extra",
        {"status": "ODD", "order": "x"},
        None,
    )


def test_what_the_stream_brings_within_the_lag_is_no_difference(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake))
    fake.write("Orders", {"pk": "late"})
    waited: list[float] = []

    def arrive(seconds: float) -> None:
        waited.append(seconds)
        fake.write("Copy", {"pk": "late"})

    assert compared(fake, lag_s=3, sleep=arrive).is_equal
    assert waited == [3]


def test_a_transform_that_refuses_an_item_is_a_fault(fake: FakeDynamoDB) -> None:
    found = compared(fake, "Shaped", transform=lambda item: {"order": item["pk"]})
    assert not found.is_equal
    assert len(found.faults) == 40
    assert "order-" in found.faults[0]


def test_keys_that_a_table_did_not_process_are_asked_for_again(
    fake: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfill(*sides(fake))
    answer = fake.batch_get_item
    held: list[Any] = []

    def half(**request: Any) -> Any:
        if not held:
            held.append(request)
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return answer(**request)

    monkeypatch.setattr(fake, "batch_get_item", half)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert compared(fake, segments=1).is_equal


# Repair.


def test_a_repair_makes_the_sides_equal(fake: FakeDynamoDB) -> None:
    backfill(*sides(fake))
    mark = fake.stored("Copy")[0]["_stream_sequence"]
    fake.write("Copy", {"pk": "order-1", "n": 7, "_stream_sequence": mark})
    fake.write("Copy", {"pk": "nobody's"})
    fake.write("Orders", {"pk": "new", "d": Decimal("1.5")})

    result = repair(side_of(fake, "Copy"), compared(fake).differences)

    assert (result.written, result.removed, result.changed) == (2, 1, 0)
    assert compared(fake).is_equal
    stored = {each["pk"]: each for each in fake.stored("Copy")}
    assert stored["order-1"]["_stream_sequence"] == mark
    assert stored["nobody's"]["_stream_deleted"] is True


def test_a_repair_of_a_transformed_replica_names_the_source(fake: FakeDynamoDB) -> None:
    repair(
        side_of(fake, "Shaped"),
        compared(fake, "Shaped", transform=shape).differences,
        transform=shape,
    )
    assert compared(fake, "Shaped", transform=shape).is_equal
    assert all("_stream_source" in each for each in fake.stored("Shaped"))


@pytest.mark.parametrize("before", [None, {"pk": "new", "_stream_sequence": "1"}])
def test_what_was_written_since_the_comparison_stays(
    fake: FakeDynamoDB, before: dict[str, Any] | None
) -> None:
    backfill(*sides(fake))
    fake.write("Orders", {"pk": "new", "n": 1})
    if before:
        fake.write("Copy", before)
    found = compared(fake).differences
    fake.write("Copy", {"pk": "new", "n": 2, "_stream_sequence": "2"})

    result = repair(side_of(fake, "Copy"), found)

    assert result.changed == 1
    assert {"pk": "new", "n": 2} in fake.items("Copy")


def test_a_two_way_replica_is_not_repaired_from_one_side(fake: FakeDynamoDB) -> None:
    found = {"pk": {"S": "a"}, "_stream_origin": {"S": "elsewhere"}}
    difference = Difference("extra", {"pk": "a"}, found=found)
    with pytest.raises(SourceError, match="cannot be repaired from one side"):
        repair(side_of(fake, "Copy"), [difference])


def test_a_repair_that_fails_says_so(fake: FakeDynamoDB) -> None:
    def fail(operation: str, _request: dict[str, Any]) -> None:
        if operation == "PutItem":
            raise RequestFailed("ThrottlingException")

    failing = FakeDynamoDB(KEYS, on_request=fail)
    with pytest.raises(RequestFailed):
        repair(side_of(failing, "Copy"), compared(fake).differences)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segments": 0}, "segments must be a whole number from 1 to 1,000, got 0"),
        ({"segments": "4"}, "segments must be a whole number from 1 to 1,000, got '4'"),
        ({"lag_s": -1}, "lag_s must be a number from 0, got -1"),
        ({"rounds": True}, "rounds must be a whole number from 0, got True"),
    ],
)
def test_a_comparison_of_nothing_is_refused(
    fake: FakeDynamoDB, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError) as refused:
        compared(fake, **options)
    assert str(refused.value) == message


def test_a_backfill_of_no_segment_is_refused(fake: FakeDynamoDB) -> None:
    with pytest.raises(SourceError, match="segments must be a whole number from 1 to 1,000, got 0"):
        backfill(*sides(fake), segments=0)
