"""An item: a read-only mapping that decodes what is read."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime import AttributeValueError, Item

RAW = {"pk": {"S": "a"}, "total": {"N": "12.50"}, "tags": {"L": [{"S": "x"}]}}


def test_an_item_is_a_read_only_mapping() -> None:
    item: Any = Item(RAW)

    assert issubclass(Item, Mapping)
    assert not issubclass(Item, MutableMapping)
    with pytest.raises(TypeError, match="unhashable"):
        hash(item)
    assert list(item) == ["pk", "total", "tags"]
    assert len(item) == 3
    assert dict(item) == {"pk": "a", "total": Decimal("12.50"), "tags": ["x"]}
    assert {**item} == item.to_dict() == dict(item.items())
    assert item == {"pk": "a", "total": Decimal("12.50"), "tags": ["x"]} != {"pk": "a"}
    with pytest.raises(TypeError):
        item["pk"] = "b"
    with pytest.raises(TypeError):
        del item["pk"]


def test_an_attribute_is_decoded_once() -> None:
    item = Item(RAW)

    assert item["tags"] is item["tags"]
    assert item.get("total") is item["total"]


def test_an_attribute_that_is_not_there_is_a_key_error_or_the_default() -> None:
    item = Item(RAW)

    with pytest.raises(KeyError) as caught:
        item["nothing"]
    assert caught.value.args == ("nothing",)
    assert caught.value.__context__ is None
    assert item.get("nothing") is None
    assert item.get("nothing", 3) == 3
    assert "nothing" not in item
    assert "pk" in item


def test_only_what_is_read_is_decoded() -> None:
    item = Item({"good": {"S": "a"}, "bad": {"X": 1}})

    assert item["good"] == "a"
    assert "bad" in item
    assert len(item) == 2
    assert item.raw["bad"] == {"X": 1}
    for read in (lambda: item["bad"], item.to_dict, lambda: item.get("bad")):
        with pytest.raises(AttributeValueError, match=r"^\$\.bad: unknown attribute type 'X'"):
            read()


def test_to_dict_shares_nothing_with_the_item() -> None:
    item = Item(copy.deepcopy(RAW))
    first = item.to_dict()

    first["tags"].append("y")
    first["more"] = 1

    assert item.to_dict() == {"pk": "a", "total": Decimal("12.50"), "tags": ["x"]}
    assert item["tags"] == ["x"]
    assert item.raw == RAW


def test_a_match_statement_sees_an_item_as_a_mapping() -> None:
    match Item(RAW):
        case {"pk": "a", "total": total}:
            assert total == Decimal("12.50")
        case _:
            pytest.fail("no match")


def test_an_item_can_be_copied_and_pickled() -> None:
    def twins(item: Item) -> list[Any]:
        return [
            pickle.loads(pickle.dumps(item)),  # noqa: S301 - our own bytes
            copy.copy(item),
            copy.deepcopy(item),
        ]

    item = Item(RAW)
    for twin in twins(item):
        assert twin == item


def test_a_repr_shows_names_and_no_values() -> None:
    assert repr(Item(RAW)) == "Item('pk', 'total', 'tags')"
    assert repr(Item({})) == "Item()"
