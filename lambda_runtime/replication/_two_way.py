"""Two tables that replicate each other: the write with the newer version stays.

The application gives every item a version attribute that grows with each write, such as
`updated_at`; both replicas compare it in the target. The rule has three parts:

* the higher version wins;
* of two writes with one version, that of the table whose name sorts first wins
  (`region/account/table`), and a delete wins over the write with the version it deleted;
* a write that is refused because another table's is newer is a conflict, and counted.

A replicated item carries the table in which it was written (`_stream_origin`) and the version it
had then (`_stream_version`). A change whose version is that one came from the other replica and
is not sent back. The attribute stays when an application updates the item, so it alone would not
tell; the version does.
"""

from __future__ import annotations

from typing import Any

from lambda_runtime._tables.conditional_writes import DELETED
from lambda_runtime.replication._errors import VersionError
from lambda_runtime.replication._requests import ORIGIN, VERSION, conditional_put

__all__ = [
    "check_tombstone",
    "check_version",
    "is_conflict",
    "is_replicated",
    "put_version_request",
]

Attributes = dict[str, dict[str, Any]]


def is_replicated(new: Attributes, old: Attributes | None, version: str) -> bool:
    """Whether a change was made by the other replica and not by the application.

    Raises:
        VersionError: The application changed a replicated item and kept its version.
    """
    if VERSION not in new or new.get(version) != new[VERSION]:
        return False
    if old is not None and (old.get(VERSION), old.get(ORIGIN)) == (new[VERSION], new[ORIGIN]):
        # The other replica never writes a version twice.
        raise VersionError(
            f"each write must set a higher {version}, got a change that keeps it; it is not "
            "replicated"
        )
    return True


def check_version(item: Attributes, version: str) -> dict[str, Any]:
    """The version of an item, a text or a number.

    Raises:
        VersionError: The item has none.
    """
    value = item.get(version, {})
    if not {"S", "N"} & value.keys():
        raise VersionError(
            f"each item must have the version attribute {version} as text or number, got "
            f"{', '.join(value) or 'none'}; it is not replicated"
        )
    return value


def check_tombstone(item: Attributes, version: str) -> None:
    """Refuse a tombstone that the application updated instead of putting a whole item.

    Raises:
        VersionError: The item is marked as deleted and has a version of its own.
    """
    if item.get(VERSION) != item.get(version):
        raise VersionError(
            f"a deleted item must come back as a whole item without {DELETED}, got a change of its "
            f"tombstone; put it with a higher {version}"
        )


def put_version_request(
    table: str, item: Attributes, version: str, origin: str, *, wins_ties: bool
) -> dict[str, Any]:
    """The arguments of `put_item` that store an item unless a newer version is there.

    Args:
        table: The target's name or ARN.
        item: The item, or its tombstone, with its version.
        version: The name of the version attribute.
        origin: Where the item was written: `region/account/table`.
        wins_ties: Whether the item goes before another one with the same version.
    """
    value = check_version(item, version)
    stored = {**item, ORIGIN: {"S": origin}, VERSION: value}
    names, values = {"#version": version}, {":version": value}
    condition = "attribute_not_exists(#version) OR #version < :version"
    if wins_ties or DELETED in item:
        names["#deleted"] = DELETED
        condition += " OR (#version = :version AND attribute_not_exists(#deleted))"
    return conditional_put(table, stored, condition, names, values)


def is_conflict(refused: Attributes, there: Attributes, version: str) -> bool:
    """Whether a refused write lost against a write in another table: not against its own source.

    Args:
        refused: The item that was to be written, with its origin.
        there: The item that the target holds.
        version: The name of the version attribute.
    """
    came_from_source = there.get(ORIGIN) == refused[ORIGIN]
    return not came_from_source or there.get(VERSION) != there.get(version)
