from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.mapping import TableStream
from cdk_streams.simulator._dynamodb.serialization import size_bytes
from cdk_streams.simulator._records import insert, modify

ID = {"id": "id_value"}
ID_1 = {"id": "id_value_1"}
SHARD_KEY = {"pk": "owned-single-shard"}


@pytest.mark.parametrize(
    ("old", "new", "recorded"),
    [
        (None, ID, 20),
        (None, ID_1, 24),
        (None, ID | {"id2": "id2_value"}, 32),
        (None, ID_1 | {"numericFilter": 42}, 39),
        (None, ID_1 | {"numericFilter": 101}, 40),
        (ID, ID | {"id2": "id2_new_value"}, 46),
        (None, ID_1 | {"presentKey": "presentValue"}, 46),
        (None, ID_1 | {"prefix": "us-1-other-suffix"}, 47),
    ],
)
def test_size_bytes_are_those_recorded(
    old: dict[str, Any] | None, new: dict[str, Any], recorded: int
) -> None:
    record = insert(new, keys="id") if old is None else modify(old, new, keys="id")

    assert record["dynamodb"]["SizeBytes"] == recorded


def test_size_bytes_leave_out_an_image_that_the_view_type_lacks() -> None:
    new_image = TableStream(view_type="NEW_IMAGE")
    item = SHARD_KEY | {"phase": "initial", "ordinal": 1}

    assert insert(item, stream=new_image)["dynamodb"]["SizeBytes"] == 61  # recorded
    keys_only = TableStream(view_type="KEYS_ONLY")
    assert insert(item, stream=keys_only)["dynamodb"]["SizeBytes"] == 20


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "é€"}, 5),
        ({"S": ""}, 0),
        ({"B": "Zm9vYmFy"}, 6),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 2),
        ({"N": "100"}, 2),
        ({"N": "-12.345"}, 4),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"BS": ["Zm8="]}, 2),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"NULL": True}]}, 8),
        ({"M": {}}, 3),
        ({"M": {"k": {"S": "v"}}}, 6),
    ],
)
def test_each_type_counts_as_dynamodb_documents(value: dict[str, Any], expected: int) -> None:
    assert size_bytes({"n": value}) == 1 + expected
