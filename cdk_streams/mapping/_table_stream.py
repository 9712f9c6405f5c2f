"""A table's stream as a value: its ARN, its keys, and what its records carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from cdk_streams._argument_checks import list_of_names
from cdk_streams.arns import partition_of
from cdk_streams.errors import SourceError

__all__ = ["TableStream", "ViewType"]

ViewType: TypeAlias = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
"""What a stream's records carry besides the keys; a table's `StreamViewType`."""


@dataclass(frozen=True, slots=True)
class TableStream:
    """Where records come from: a table, its key attributes and what its stream carries.

    Args:
        table: The table's name.
        keys: The key attributes' names, the partition key first: `("pk",)` or `("pk", "sk")`. A
            list is kept as a tuple.
        view_type: What the records carry besides the keys.
        region: As in `awsRegion`.
        account: Twelve digits.
        label: When the stream was made; the last part of its ARN.

    Raises:
        SourceError: Keys that are no list of names, such as one text; a name, Region or account
            that is no text; an unknown view type.

    """

    table: str = "Table"
    keys: tuple[str, ...] = ("pk",)
    view_type: ViewType = "NEW_AND_OLD_IMAGES"
    region: str = "us-east-1"
    account: str = "123456789012"
    label: str = "2026-01-01T00:00:00.000"

    def __post_init__(self) -> None:
        """Refuse what would end in records that no table has."""
        for name in ("table", "region", "account", "label"):
            if not isinstance(given := getattr(self, name), str):
                raise SourceError(f"{name} must be a text, got {given!r}; write it in quotes")
        if self.view_type not in get_args(ViewType):
            raise SourceError(
                f"view_type must be one of {', '.join(get_args(ViewType))}, got {self.view_type!r}"
            )
        keys = list_of_names("keys", self.keys, what="key attributes", least=1)
        object.__setattr__(self, "keys", keys)

    @property
    def arn(self) -> str:
        """The stream's ARN: `arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/…`."""
        table = f"dynamodb:{self.region}:{self.account}:table/{self.table}"
        return f"arn:{partition_of(self.region)}:{table}/stream/{self.label}"
