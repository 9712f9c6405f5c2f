"""Items as instances of a class: what each annotation takes, and how misfits are told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    Union,
)

import pydantic
import pytest

from lambda_runtime import AttributeValueError, Item, ModelError, encode, parse
from lambda_runtime._values.typed import reader_of

if TYPE_CHECKING:
    from fractions import Fraction

OrderId = NewType("OrderId", str)


class Status(StrEnum):
    PAID = "PAID"
    NEW = "NEW"


class Level(IntEnum):
    HIGH = 3


class Color(Enum):
    RED = 1


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    quantity: int
    price: Decimal = Decimal(0)


@dataclass
class Order:
    pk: OrderId
    status: Status
    lines: list[Line]
    _: KW_ONLY
    note: str | None = None
    tags: frozenset[str] = frozenset()
    external_id: str = field(default="", metadata={"attribute": "external-id"})
    seen: int = field(default=0, init=False)


ORDER = {
    "pk": {"S": "ORDER#1"},
    "status": {"S": "PAID"},
    "lines": {
        "L": [
            {"M": {"sku": {"S": "A"}, "quantity": {"N": "2"}, "price": {"N": "9.95"}}},
            {"M": {"sku": {"S": "B"}, "quantity": {"N": "1.0"}}},
        ]
    },
    "tags": {"SS": ["x", "y"]},
    "external-id": {"S": "e-1"},
    "ignored": {"X": "not looked at"},
}


def test_an_item_becomes_a_dataclass_with_all_that_it_holds() -> None:
    order = Item(ORDER).to(Order)

    assert order == Order(
        pk=OrderId("ORDER#1"),
        status=Status.PAID,
        lines=[Line("A", 2, Decimal("9.95")), Line("B", 1)],
        tags=frozenset({"x", "y"}),
        external_id="e-1",
    )
    assert type(order.lines[1].quantity) is int


def test_all_faults_of_an_item_are_told_and_of_a_list_the_first_member_with_one() -> None:
    image = {
        "status": {"S": "LOST"},
        "lines": {"L": [{"M": {"sku": {"N": "1"}, "quantity": {"N": "1.5"}}}, {"S": "no line"}]},
        "note": {"L": []},
    }
    record = {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"NewImage": image},
    }
    (change,) = parse({"Records": [record]})

    with pytest.raises(ModelError) as caught:
        change.new.to(Order)

    at = "$.Records[0].dynamodb.NewImage"
    assert caught.value.model == "Order"
    assert caught.value.faults == (
        f"{at}.pk: missing, and it has no default",
        f"{at}.status: got a value that no Status has",
        f"{at}.lines[0].sku: got N, expected S for str",
        f"{at}.lines[0].quantity: got a number with a fraction, expected a whole one for int",
        f"{at}.note: got L that fits none of str | None",
    )
    assert str(caught.value).startswith(f"the item is no Order: {at}.pk: missing, and")


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (str, {"S": "a"}, "a"),
        (bytes, {"B": "aGk="}, b"hi"),
        (bool, {"BOOL": True}, True),
        (None, {"NULL": True}, None),
        (int, {"N": "1E+2"}, 100),
        (
            int,
            {"N": "12345678901234567890123456789012345678"},
            12345678901234567890123456789012345678,
        ),
        (float, {"N": "0.1"}, 0.1),
        (Decimal, {"N": "0.10"}, Decimal("0.10")),
        (list[int], {"L": [{"N": "1"}]}, [1]),
        (list, {"L": [{"N": "1.5"}]}, [Decimal("1.5")]),
        (Sequence[str], {"L": []}, []),
        (tuple[str, int], {"L": [{"S": "a"}, {"N": "1"}]}, ("a", 1)),
        (tuple[int, ...], {"L": [{"N": "1"}, {"N": "2"}]}, (1, 2)),
        (set[str], {"SS": ["a"]}, {"a"}),
        (set[int], {"NS": ["1", "2"]}, {1, 2}),
        (set[Decimal], {"NS": ["1.5"]}, {Decimal("1.5")}),
        (frozenset[bytes], {"BS": ["aGk="]}, frozenset({b"hi"})),
        (AbstractSet[str], {"SS": ["a"]}, frozenset({"a"})),
        (set, {"NS": ["1"]}, {Decimal(1)}),
        (dict[str, int], {"M": {"a": {"N": "1"}}}, {"a": 1}),
        (Mapping[str, str | None], {"M": {"a": {"NULL": True}}}, {"a": None}),
        (dict, {"M": {"a": {"BOOL": False}}}, {"a": False}),
        (Optional[int], {"NULL": True}, None),  # noqa: UP045 - the old spelling is read as well
        (Union[int, str], {"S": "1"}, "1"),  # noqa: UP007 - the same
        (int | Decimal, {"N": "1.5"}, Decimal("1.5")),
        (Decimal | int, {"N": "1"}, Decimal(1)),
        (str | dt.date, {"S": "2026-01-02"}, "2026-01-02"),
        (dt.date | str, {"S": "2026-01-02"}, dt.date(2026, 1, 2)),
        (
            dt.datetime,
            {"S": "2026-01-02T03:04:05Z"},
            dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        ),
        (dt.time, {"S": "03:04"}, dt.time(3, 4)),
        (
            uuid.UUID,
            {"S": "12345678123456781234567812345678"},
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (Status, {"S": "NEW"}, Status.NEW),
        (Level, {"N": "3.0"}, Level.HIGH),
        (Literal["a", 1], {"N": "1"}, 1),
        (Literal[True, 1], {"N": "1"}, 1),
        (Annotated[int, []], {"N": "1"}, 1),
        (OrderId, {"S": "a"}, "a"),
        (Any, {"L": [{"N": "1"}]}, [Decimal(1)]),
        (object, {"S": "a"}, "a"),
        (Line, {"M": {"sku": {"S": "A"}, "quantity": {"N": "2"}}}, Line("A", 2)),
    ],
)
def test_each_annotation_takes_its_attribute(
    annotation: Any, value: dict[str, Any], expected: object
) -> None:
    read = reader_of(annotation)(value, (), None)

    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "fault"),
    [
        (str, {"N": "1"}, "$: got N, expected S for str"),
        (int, {"BOOL": True}, "$: got BOOL, expected N for int"),
        (int, {"N": "1.5"}, "$: got a number with a fraction, expected a whole one for int"),
        (bool, {"N": "1"}, "$: got N, expected BOOL for bool"),
        (bytes, {"S": "aGk="}, "$: got S, expected B for bytes"),
        (list[str], {"SS": ["a"]}, "$: got SS, expected L for list[str]"),
        (set[str], {"L": []}, "$: got L, expected SS or NS or BS for set[str]"),
        (set[str], {"NS": ["1"]}, "$[0]: got N, expected S for str"),
        (tuple[str, str], {"L": []}, "$: got 0 members, expected 2"),
        (dict[str, int], {"M": {"a": {"S": "1"}}}, "$.a: got S, expected N for int"),
        (int | None, {"S": "1"}, "$: got S that fits none of int | None"),
        (Literal[1], {"BOOL": True}, "$: got a value that is none of Literal[1]"),
        (Status, {"S": "LOST"}, "$: got a value that no Status has"),
        (Color, {"BOOL": True}, "$: got a value that no Color has"),
        (dt.date, {"S": "yesterday"}, "$: got text that is no date"),
        (uuid.UUID, {"S": "x"}, "$: got text that is no UUID"),
        (Line, {"S": "A"}, "$: got S, expected M for Line"),
    ],
)
def test_a_value_of_another_type_is_told_by_path_and_type_alone(
    annotation: Any, value: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ModelError) as caught:
        Item({"a": value}).to(dict[str, annotation])

    assert caught.value.faults == (fault.replace("$", "$.a", 1),)


@pytest.mark.parametrize(
    "value",
    [{"X": "a"}, {"S": 1}, {}, "text", {"N": "abc"}, {"L": "x"}, {"M": 1}, {"SS": []}, {"SS": "a"}],
)
@pytest.mark.parametrize("annotation", [str, int, list[str], set[str], Line, dict[str, str], Any])
def test_what_is_no_typed_value_is_told_as_decoding_tells_it(value: Any, annotation: Any) -> None:
    with pytest.raises((AttributeValueError, ModelError)) as caught:
        Item({"a": value}).to(dict[str, annotation])

    assert "$.a" in str(caught.value)


def test_numbers_are_exact_whatever_the_policy_where_the_class_decides() -> None:
    @dataclass
    class Sums:
        exact: Decimal
        open: Any

    number = {"N": "0.12345678901234567890123456789012345678"}
    record = {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"NewImage": {"exact": number, "open": number}},
    }
    (change,) = parse({"Records": [record]}, numbers="float")

    sums = change.new.to(Sums)

    assert sums.exact == Decimal("0.12345678901234567890123456789012345678")
    assert sums.open == 0.12345678901234568


class Address(TypedDict, total=False):
    street: Required[str]
    zip: str


class Customer(TypedDict):
    name: str
    address: NotRequired[Address]
    level: Literal[1, 2]


def test_an_item_becomes_a_typed_dict_of_the_keys_it_names() -> None:
    raw = encode({"name": "Ada", "address": {"street": "Main"}, "level": 2, "other": 1})["M"]

    customer = Item(raw).to(Customer)

    assert customer == {"name": "Ada", "address": {"street": "Main"}, "level": 2}


def test_a_typed_dict_requires_what_it_says_it_requires() -> None:
    with pytest.raises(ModelError) as caught:
        Item(encode({"name": "Ada", "address": {"zip": "1"}})["M"]).to(Customer)

    assert caught.value.faults == (
        "$.address.street: missing, and it has no default",
        "$.level: missing, and it has no default",
    )


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


def test_a_class_may_name_itself() -> None:
    raw = encode({"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]})["M"]

    assert Item(raw).to(Tree) == Tree("a", [Tree("b", [Tree("c")])])


@dataclass
class Checked:
    total: int

    def __post_init__(self) -> None:
        if self.total < 0:
            raise ValueError(f"total must not be negative, got {self.total}")


def test_what_a_class_refuses_is_the_cause_and_its_sentence_is_not_repeated() -> None:
    with pytest.raises(ModelError) as caught:
        Item({"total": {"N": "-5"}}).to(Checked)

    assert caught.value.faults == ("$: Checked raised ValueError",)
    assert str(caught.value.__cause__) == "total must not be negative, got -5"


@dataclass
class Hidden:
    share: Fraction


@dataclass
class Odd:
    number: complex


def test_a_class_that_cannot_be_read_says_which_annotation_is_why() -> None:
    for model, why in (
        (Hidden, "its annotations name Fraction, which is not found at run time in its module"),
        (Odd, "it has a complex, which no attribute becomes"),
        (complex, "it has a complex, which no attribute becomes"),
    ):
        with pytest.raises(ModelError) as caught:
            Item({"number": {"N": "1"}}).to(model)
        assert caught.value.faults == (why,)


class Product(pydantic.BaseModel):
    sku: str
    price: Decimal
    stock: int = 0
    tags: set[str] = set()
    picture: bytes = b""
    maker: str | None = pydantic.Field(default=None, alias="made-by")


def test_an_item_becomes_a_pydantic_model_by_the_models_own_rules() -> None:
    raw = encode(
        {"sku": "A", "price": Decimal("9.95"), "stock": 3, "tags": {"x"}, "made-by": "us"}
    )["M"]

    product = Item({**raw, "picture": {"B": "/w=="}}).to(Product)

    assert product == Product(
        sku="A", price=Decimal("9.95"), stock=3, tags={"x"}, picture=b"\xff", **{"made-by": "us"}
    )


def test_pydantics_faults_carry_our_paths_and_no_values() -> None:
    raw = encode({"price": "hunter2", "stock": Decimal("1.5")})["M"]

    with pytest.raises(ModelError) as caught:
        Item(raw).to(Product)

    places = [fault.partition(":")[0] for fault in caught.value.faults]
    assert places == ["$.sku", "$.price", "$.stock"]
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)


class Strict(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def short(cls, name: str) -> str:
        if len(name) > 3:
            raise ValueError(f"{name} is too long")
        return name


def test_what_a_models_own_rule_says_is_the_cause_and_is_not_repeated() -> None:
    with pytest.raises(ModelError) as caught:
        Item({"name": {"S": "hunter2"}}).to(Strict)

    assert caught.value.faults == ("$.name: refused by a rule of the model",)
    assert "hunter2" in str(caught.value.__cause__)


def test_a_class_with_model_validate_need_not_be_pydantics() -> None:
    class Other:
        @classmethod
        def model_validate(cls, _: dict[str, Any]) -> Other:
            raise ValueError("no")

    with pytest.raises(ModelError) as caught:
        Item({}).to(Other)

    assert caught.value.faults == ("$: Other raised ValueError",)


def test_a_pydantic_model_may_stand_inside_a_dataclass() -> None:
    @dataclass
    class Shelf:
        products: list[Product]

    raw = encode({"products": [{"sku": "A", "price": 1}]})["M"]
    Shelf.__annotations__["products"] = list[Product]

    assert Item(raw).to(Shelf) == Shelf([Product(sku="A", price=Decimal(1))])
