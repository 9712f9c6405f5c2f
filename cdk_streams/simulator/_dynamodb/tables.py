"""The tables of a world, by name."""

from __future__ import annotations

from cdk_streams.simulator._dynamodb.table import Table

__all__ = ["Tables"]


class Tables(dict[str, Table]):
    """Tables by name; one that came from a template is found by its logical id too.

    Each table is there once: `tables.values()` and `len(tables)` know names only.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, str] = {}

    def add(self, table: Table, logical_id: str | None) -> None:
        """Add a table."""
        self[table.name] = table
        if logical_id is not None:
            self._names[logical_id] = table.name

    def __missing__(self, logical_id: str) -> Table:
        if logical_id not in self._names:
            known = ", ".join(sorted({*self, *self._names})) or "none"
            raise KeyError(f"there is no table {logical_id}; there are: {known}")
        return self[self._names[logical_id]]
