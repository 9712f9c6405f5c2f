"""Views: what is counted and added up, by group; and the plain recomputation of it."""

from __future__ import annotations

from decimal import Decimal

from lambda_runtime.views import _groups
from lambda_runtime.views._contributions import Contribution, ViewError, key_reader, number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from lambda_runtime.views._contributions import Grouping
    from lambda_runtime.views._projection import Projection

    Item = Mapping[str, Any]

__all__ = ["Count", "Sum", "View", "recompute"]


class Count:
    """How many items a group has.

    Args:
        of: Which of them: those that have this attribute (and not NULL in it), or those for which
            a function of the item returns true; None counts all.
    """

    __slots__ = ("_of",)

    def __init__(self, of: str | Callable[[Item], object] | None = None) -> None:
        if not (of is None or callable(of) or (isinstance(of, str) and of)):
            raise ViewError(f"Count takes an attribute's name or a function, got {of!r}")
        self._of = of

    def number(self, item: Item) -> Decimal:
        """Return 1 for an item that counts, else 0."""
        if self._of is None:
            return Decimal(1)
        counts = self._of(item) if callable(self._of) else item.get(self._of) is not None
        return Decimal(1 if counts else 0)


class Sum:
    """The exact sum of a number over a group's items, of up to 38 digits.

    Args:
        of: An attribute, or a function of the item that returns an int or Decimal. A missing
            attribute, NULL and None add nothing; anything else but a number fails the record.
    """

    __slots__ = ("_of",)

    def __init__(self, of: str | Callable[[Item], Decimal | int | None]) -> None:
        if not (callable(of) or (isinstance(of, str) and of)):
            raise ViewError(f"Sum takes an attribute's name or a function, got {of!r}")
        self._of = of

    def number(self, item: Item) -> Decimal:
        """Return what an item adds to the sum."""
        if callable(self._of):
            return number_of("the function of Sum", self._of(item))
        return number_of(f"Sum({self._of!r})", item.get(self._of))


class View:
    """Counts and sums of a table's items, one target item for each group.

        View(group_by="customer", orders=Count(), total=Sum("total"))

    keeps `{"customer": "c-1", "orders": 2, "total": 30, "_view_items": 2}`. A group without items
    has no target item. Minimum and maximum are not offered, because they cannot be kept exactly
    when the item that has it goes; a `Projection` sorted by the value has them at its ends.

    Args:
        group_by: One or two attributes, which are the target's key; or a function of the item
            that returns them, `lambda item: {"day": item["at"][:10]}`, or None for an item of no
            group. An item that lacks one of the attributes is of no group either.
        where: Which items count: a function of the item; None: all.
        measures: Names of target attributes, and what they hold: `Count` or `Sum`.

    Functions must depend on the item alone: the same item gives the same answer at any time.
    """

    writes = staticmethod(_groups.writes)
    recomputed = staticmethod(_groups.recomputed)

    def __init__(
        self,
        *,
        group_by: Grouping,
        where: Callable[[Item], object] | None = None,
        **measures: Count | Sum,
    ) -> None:
        if where is not None and not callable(where):
            raise ViewError(f"where must be a function of the item, got {where!r}")
        wrong = [name for name, each in measures.items() if not isinstance(each, (Count, Sum))]
        if wrong or not measures:
            got = f"{wrong[0]}={measures[wrong[0]]!r}" if wrong else "none"
            raise ViewError(
                f"a view has measures, as in total=Sum('total'), got {got}; pass a Count or a Sum"
            )
        taken = {group_by} if isinstance(group_by, str) else set()
        taken |= set() if callable(group_by) else {*group_by}
        if clash := sorted((taken | {_groups.ITEMS}) & measures.keys()):
            raise ViewError(f"a measure must not be named as the key is, got {clash[0]!r}")
        self._key_of = key_reader("group_by", group_by)
        self._where = where
        self._measures = measures

    def contribution(self, item: Item) -> Contribution | None:
        """Return what an item gives to its group; None: it is in none."""
        if self._where is not None and not self._where(item):
            return None
        key = self._key_of(item)
        if key is None:
            return None
        content = {name: measure.number(item) for name, measure in self._measures.items()}
        return Contribution(key, content)

    def stored(self, contribution: Contribution) -> Mapping[str, Any]:
        """Return what a mark keeps of a contribution, to take it back one day."""
        return contribution.content

    def check(self, stored: Contribution) -> None:
        """Refuse what a view of other measures has stored."""
        if stored.content.keys() != self._measures.keys():
            raise ViewError(
                f"the target was kept by a view with the measures {sorted(stored.content)}, got "
                f"one with {sorted(self._measures)}; build the new view beside it (rebuild=)"
            )


def recompute(view: View | Projection, items: Iterable[Item]) -> list[dict[str, Any]]:
    """Work a view out from all items of its table: the target's items.

    It is what a kept view must equal, for tests and comparisons. The target's items are held in
    memory, those of the source are read one by one.
    """
    given = (view.contribution(item) for item in items)
    return view.recomputed(("", None, made) for made in given if made is not None)
