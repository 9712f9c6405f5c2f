"""The JSON Schema of events: what a class says of an item, as its events write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NotRequired, TypedDict

import pydantic
import pytest

from lambda_runtime.forward import ForwardError, json_schema


class Status(Enum):
    PAID = "PAID"


@dataclass
class Line:
    sku: str
    quantity: int
    parent: Line | None = None


@dataclass
class Order:
    order_id: str
    total: Decimal
    status: Status
    lines: list[Line]
    photo: bytes
    sizes: set[int] = field(default_factory=set)
    tags: frozenset[str] = frozenset()
    notes: dict[str, str] | None = None
    kind: Literal["a", "b"] = "a"
    vat: Decimal = field(default=Decimal(0), metadata={"attribute": "v-a-t"})


class Typed(TypedDict):
    order_id: str
    total: NotRequired[Decimal]


class Model(pydantic.BaseModel):
    order_id: str = pydantic.Field(alias="id")
    total: Decimal = Decimal(0)


DIGITS = {"type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"}
NUMBER = {"anyOf": [{"type": "number"}, DIGITS]}


def defined(model: Any, name: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json_schema(model)["$defs"][name or model.__name__]
    return found


def test_both_images_are_the_item_s_class_or_null() -> None:
    schema = json_schema(Order, schema="urn:shop:order:2")

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:shop:order:2"
    for image in ("before", "after"):
        assert schema["properties"][image]["anyOf"] == [{"$ref": "#/$defs/Order"}, {"type": "null"}]


def test_each_annotation_has_its_form() -> None:
    order = defined(Order)

    assert order["required"] == ["order_id", "total", "status", "lines", "photo"]
    assert order["properties"] == {
        "order_id": {"type": "string"},
        "total": NUMBER,
        "status": {"enum": ["PAID"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        "photo": {"type": "string", "contentEncoding": "base64"},
        "sizes": {"type": "array", "items": DIGITS, "uniqueItems": True},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "notes": {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "string"}},
                {"type": "null"},
            ]
        },
        "kind": {"enum": ["a", "b"]},
        "v-a-t": NUMBER,
    }


def test_a_class_may_name_itself() -> None:
    line = defined(Order, "Line")

    assert line["properties"]["parent"]["anyOf"] == [{"$ref": "#/$defs/Line"}, {"type": "null"}]


def test_a_typed_dict_and_a_pydantic_model_are_classes_too() -> None:
    assert defined(Typed)["required"] == ["order_id"]
    assert defined(Model) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "total": NUMBER},
        "required": ["id"],
    }


def test_another_class_is_refused() -> None:
    with pytest.raises(ForwardError, match="model must be a dataclass, a TypedDict or a pydantic"):
        json_schema(int)
