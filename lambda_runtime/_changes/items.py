"""An item's attributes, each decoded the first time it is read."""

from __future__ import annotations

from collections.abc import Mapping

from lambda_runtime._values.decoding import DECODERS, WRONG, decode_map, wrong
from lambda_runtime._values.numbers_as import exact

__all__ = ["Item"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeVar

    from lambda_runtime._values.numbers_as import Convert

    T = TypeVar("T")


class Item(Mapping[str, "Any"]):
    """The keys or one image of a change: a read-only mapping of attribute names to values.

    An attribute is decoded the first time it is read and kept: reading it again gives the same
    object. `raw` is what DynamoDB sent, such as `{"pk": {"S": "a"}}`; it is not to be changed.
    Lists and dicts that were read are the reader's own: changing them changes no event, but the
    next reader of this Item sees it. Two items are equal when their decoded attributes are.
    """

    __slots__ = ("_convert", "_decoded", "_path", "raw")

    raw: dict[str, dict[str, Any]]

    def __init__(
        self, raw: dict[str, Any], convert: Convert = None, path: tuple[str | int, ...] = ()
    ) -> None:
        self.raw = raw
        self._convert = convert
        self._path = path
        self._decoded: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        # What handlers call most: S and N, most of what tables hold, are decoded without a call.
        value = self.raw[name]
        try:
            content = value.get("S")
            if content.__class__ is str and len(value) == 1:
                return content  # as it stands in the event: there is nothing to keep
            decoded = self._decoded
            if decoded is None:
                decoded = self._decoded = {}
            elif name in decoded:
                return decoded[name]
            (tag,) = value
            content = value[tag]
            if tag == "N" and self._convert is None:
                answer = exact(content)
                if not (content.isascii() and answer.is_finite()):
                    raise ValueError
            else:
                answer = DECODERS[tag](content, self._convert)
        except WRONG:
            raise wrong(value, (*self._path, name)) from None
        decoded[name] = answer
        return answer

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)

    def to_dict(self) -> dict[str, Any]:
        """Decode all of it into a new dict, which shares nothing with this Item."""
        return decode_map(self.raw, self._convert, self._path)

    def to(self, model: type[T]) -> T:
        """Make an instance of a dataclass, a TypedDict or a pydantic model: `new.to(Order)`.

        Only what the class names is decoded; docs/runtime.md lists the annotations it takes.

        Raises:
            ModelError: with the path of each attribute that is missing or does not fit.
        """
        from lambda_runtime._values.typed import read  # noqa: PLC0415 - typing, which most can do without

        made: T = read(model, self.raw, self._convert, self._path)
        return made

    def __repr__(self) -> str:
        # Names only: a repr ends in logs, and values are somebody's data.
        return f"Item({', '.join(map(repr, self.raw))})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Item, (self.raw, self._convert, self._path)
