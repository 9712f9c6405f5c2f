"""Items as instances of a class: `change.new.to(Order)`.

| annotation                           | attribute                        |
|--------------------------------------|----------------------------------|
| str, bytes, bool, None               | S, B, BOOL, NULL                 |
| Decimal, float                       | N                                |
| int                                  | N, a whole number                |
| list[T], Sequence[T], tuple[T, ...]  | L                                |
| set[T], frozenset[T]                 | SS, NS, BS                       |
| dict[str, T], Mapping[str, T]        | M                                |
| dataclass, TypedDict, pydantic model | M                                |
| a union, T or None                   | the first of its types that fits |
| an Enum, Literal                     | one of its values                |
| datetime, date, time                 | S, in ISO 8601                   |
| UUID                                 | S                                |
| Any, object, list, dict, set         | what `decode` makes of it        |

A class is looked at once and becomes a plan: a reader for each of its attributes. All attributes of
an item that do not fit are reported together, and of a list the first such member. Attributes that
the class does not name are left out. A dataclass field may stand for an attribute of another name:
`field(metadata={"attribute": "order-id"})`. A pydantic model gets the decoded item and applies its
own rules to it.
"""

from __future__ import annotations

import types
import typing
from collections import abc
from decimal import Decimal
from enum import EnumMeta

from lambda_runtime._values import converters
from lambda_runtime._values.converters import Unfit, anything, content, scalar, type_name, unfit
from lambda_runtime._values.decoding import decode_map
from lambda_runtime.errors import ModelError, path_text

__all__ = ["members_of", "read", "wrapped"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lambda_runtime._values.converters import Path, Reader
    from lambda_runtime._values.numbers_as import Convert

    # The attribute's name, its name in the class, whether it has to be there, its annotation.
    Member = tuple[str, str, bool, Any]


def read(model: Any, raw: dict[str, Any], convert: Convert, path: Path) -> Any:
    """Make a `model` of an item's typed values; `path` is where the item stands.

    Raises:
        ModelError: with one sentence for each attribute that is missing or does not fit.
        AttributeValueError: for what is no DynamoDB value at all.
    """
    try:
        return reader_of(model)({"M": raw}, path, convert)
    except Unfit as fault:
        raise ModelError(type_name(model), fault.faults) from fault.__cause__


_READERS: dict[Any, Reader] = {
    str: scalar("S", str),
    bytes: scalar("B", bytes),
    bool: scalar("BOOL", bool),
    None: scalar("NULL", None),
    type(None): scalar("NULL", None),
    Decimal: scalar("N", Decimal),
    int: converters.whole,
    float: converters.floating,
    object: anything,
    typing.Any: anything,
}

_ARRAYS = {list: list, abc.Sequence: list, abc.MutableSequence: list, abc.Iterable: list}
_SETS = {set: set, frozenset: frozenset, abc.Set: frozenset, abc.MutableSet: set}
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_ISO_8601 = ("datetime", "date", "time")


def reader_of(annotation: Any) -> Reader:
    """Give the reader of an annotation; for a class it is the same one each time.

    Only classes are kept: `int | str` and `str | int` are equal to Python, but not read alike.
    """
    if annotation is not None and not isinstance(annotation, type):
        return _made(annotation)
    if annotation not in _READERS:
        _READERS[annotation] = _made(annotation)
    return _READERS[annotation]


def _made(annotation: Any) -> Reader:
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if (inner := wrapped(annotation, origin)) is not None:
        return reader_of(inner)
    if origin in (typing.Union, types.UnionType):
        return converters.first_fit([reader_of(one) for one in arguments], annotation)
    if origin is typing.Literal:
        return converters.one_of(arguments, annotation)
    for make in (_container, _text, _model_reader):
        reader = make(annotation)
        if reader is not None:
            return reader
    raise Unfit([f"it has a {type_name(annotation)}, which no attribute becomes"])


def wrapped(annotation: Any, origin: Any) -> Any:
    """Give the annotation that a wrapper wraps: Annotated, NotRequired, a NewType, a type alias."""
    wrappers = (typing.Annotated, typing.Required, typing.NotRequired)
    if origin in (*wrappers, getattr(typing, "ReadOnly", typing.Required)):
        return typing.get_args(annotation)[0]
    return getattr(annotation, "__supertype__", getattr(annotation, "__value__", None))


def _container(annotation: Any) -> Reader | None:
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is tuple and arguments and arguments[-1] is not ...:
        return converters.fixed_array([reader_of(one) for one in arguments], annotation)
    member = reader_of(arguments[0]) if arguments else anything
    if origin is tuple:
        return converters.array(member, tuple, annotation)
    if origin in _ARRAYS:
        return converters.array(member, _ARRAYS[origin], annotation)
    if origin in _SETS:
        return converters.set_of(member, _SETS[origin], annotation)
    if origin in _MAPPINGS and arguments[:1] in ((), (str,)):
        return converters.mapping(reader_of(arguments[1]) if arguments else anything, annotation)
    return None


def _text(annotation: Any) -> Reader | None:
    # By name, so that reading an item imports neither datetime nor uuid.
    home, name = getattr(annotation, "__module__", ""), getattr(annotation, "__name__", "")
    if home == "datetime" and name in _ISO_8601:
        return converters.parsed(annotation.fromisoformat, annotation)
    if (home, name) == ("uuid", "UUID"):
        return converters.parsed(annotation, annotation)
    return converters.enumerated(annotation) if isinstance(annotation, EnumMeta) else None


def _model_reader(model: Any) -> Reader | None:
    if callable(getattr(model, "model_validate", None)):
        return _pydantic_reader(model)
    return None if members_of(model) is None else _planned_reader(model)


def members_of(model: Any) -> Iterator[Member] | None:
    """Give the attributes that a class names; None for what is no class of items."""
    if hasattr(model, "model_fields"):
        return _pydantic_members(model)
    if isinstance(model, type) and hasattr(model, "__dataclass_fields__"):
        return _dataclass_members(model)
    return _typed_dict_members(model) if typing.is_typeddict(model) else None


def _planned_reader(model: Any) -> Reader:
    plan: list[tuple[str, str, bool, Reader]] | None = None

    def read_model(value: Any, path: Path, convert: Convert) -> Any:
        nonlocal plan
        raw = _members_of(value, model, path)
        if plan is None:
            # Only now: a class may name itself, as a tree does.
            members = members_of(model) or ()
            plan = [(at, name, must, reader_of(hint)) for at, name, must, hint in members]
        fields: dict[str, Any] = {}
        faults: list[str] = []
        for attribute, name, required, reader in plan:
            if attribute in raw:
                try:
                    fields[name] = reader(raw[attribute], (*path, attribute), convert)
                except Unfit as fault:
                    faults.extend(fault.faults)
            elif required:
                faults.append(f"{path_text((*path, attribute))}: missing, and it has no default")
        if faults:
            raise Unfit(faults)
        return _built(model, fields, path)

    return read_model


def _members_of(value: Any, model: Any, path: Path) -> dict[str, Any]:
    raw = content(value, "M", model, path)
    if not isinstance(raw, dict):
        decode_map(raw, None, path)
    members: dict[str, Any] = raw
    return members


def _built(model: Any, fields: dict[str, Any], path: Path) -> Any:
    try:
        return model(**fields)
    except (TypeError, ValueError) as error:
        # The sentence is the class's own and may quote a value; it is the cause, not the message.
        raise unfit(path, f"{type_name(model)} raised {type(error).__name__}") from error


def _dataclass_members(model: Any) -> Iterator[Member]:
    from dataclasses import MISSING, fields  # noqa: PLC0415 - a dataclass has imported it already

    hints = _hints(model)
    for field in fields(model):
        if field.init:
            attribute = field.metadata.get("attribute", field.name)
            required = field.default is MISSING and field.default_factory is MISSING
            yield attribute, field.name, required, hints[field.name]


def _typed_dict_members(model: Any) -> Iterator[Member]:
    for name, hint in _hints(model).items():
        # Annotations that are text hide NotRequired from the class: the evaluated ones decide.
        marks = {typing.Required: True, typing.NotRequired: False}
        required = marks.get(typing.get_origin(hint), name in model.__required_keys__)
        yield name, name, required, hint


def _pydantic_members(model: Any) -> Iterator[Member]:
    for name, field in model.model_fields.items():
        yield field.alias or name, name, field.is_required(), field.annotation


def _hints(model: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model, include_extras=True)
    except NameError as error:
        why = f"its annotations name {error.name}, which is not found at run time in its module"
        raise Unfit([why]) from error


def _pydantic_reader(model: Any) -> Reader:
    def read_model(value: Any, path: Path, convert: Convert) -> Any:
        decoded = decode_map(content(value, "M", model, path), convert, path)
        try:
            return model.model_validate(decoded)
        except ValueError as error:
            raise Unfit(_pydantic_faults(model, error, path)) from error

    return read_model


def _pydantic_faults(model: Any, error: Any, path: Path) -> list[str]:
    """One sentence for each error of a ValidationError, without the values that it may quote."""
    if not hasattr(error, "errors"):
        return [f"{path_text(path)}: {type_name(model)} raised {type(error).__name__}"]
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{path_text((*path, *one['loc']))}: {_pydantic_why(one)}" for one in found]


def _pydantic_why(one: dict[str, Any]) -> str:
    # Sentences of the model's own validators may quote a value, pydantic's own do not.
    own = one["type"] in {"value_error", "assertion_error"}
    return "refused by a rule of the model" if own else str(one["msg"])
