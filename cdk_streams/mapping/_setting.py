"""`Setting`: one property of a mapping, declared once.

    batch_size: Setting[int, int] = count("BatchSize", 1, 10_000, "records", default=100)

The two types are that of the attribute and what the constructor accepts for it. Type checkers read
both from `__get__` and `__set__`, as PEP 681 says for the fields of a dataclass. The validation,
`to_template`, `from_template` and `from_api` of `MappingSettings` go over these declarations. A new
property is a declaration there, a sentence in its docstring, and a keyword of the constructs:
`constructs/consumer.py` and `constructs/_props.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

__all__ = ["Setting", "as_is", "declared_settings"]

_Stored = TypeVar("_Stored")
_Given = TypeVar("_Given", contravariant=True)  # noqa: PLC0105 - a covariance suffix says less


def as_is(value: Any) -> Any:
    """Return the value itself: what is stored is also what the template holds."""
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[_Stored, _Given]):
    """The declaration of one property.

    Args:
        prop: Its name in a template, such as `BatchSize`.
        default: Lambda's own default, which a mapping has where the property is left out.
        check: Makes the stored value of a given one; `check(name, given, faults)` appends a
            sentence to `faults` for one that Lambda refuses.
        write: Makes the JSON of the property of a stored value that is not the default.
        read: Makes the constructor's value of the JSON; `read(json, faults)`.
        always: Whether the template holds the property when it has Lambda's default.
        api: Its name in the Lambda API, where that differs.

    """

    prop: str
    default: _Stored
    check: Callable[[str, Any, list[str]], _Stored]
    write: Callable[[Any], Any] = as_is
    read: Callable[[Any, list[str]], Any]
    always: bool = False
    api: str = ""

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> _Stored: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        """Return the default, which `dataclass` asks the class for; instances have their own."""
        return self.default

    if TYPE_CHECKING:
        # Never defined at run time: with it, each reading of a setting would call `__get__`.
        def __set__(self, instance: Any, value: _Given) -> None: ...


def declared_settings(cls: type) -> Mapping[str, Setting[Any, Any]]:
    """Return the declarations of a class by the names of their attributes, in order."""
    return {name: each for name, each in vars(cls).items() if isinstance(each, Setting)}
