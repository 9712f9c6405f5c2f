"""A table's stream as a value: its ARN, its keys, and what its records carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cdk_streams.arns import partition_of

__all__ = ["TableStream", "ViewType"]

ViewType: TypeAlias = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
"""What a stream's records carry besides the keys; a table's `StreamViewType`."""


@dataclass(frozen=True, slots=True)
class TableStream:
    """Where records come from: a table, its key attributes and what its stream carries.

    Args:
        table: The table's name.
        keys: The key attributes' names, the partition key first: `("pk",)` or `("pk", "sk")`.
        view_type: What the records carry besides the keys.
        region: As in `awsRegion`.
        account: Twelve digits.
        label: When the stream was made; the last part of its ARN.

    """

    table: str = "Table"
    keys: tuple[str, ...] = ("pk",)
    view_type: ViewType = "NEW_AND_OLD_IMAGES"
    region: str = "us-east-1"
    account: str = "123456789012"
    label: str = "2026-01-01T00:00:00.000"

    @property
    def arn(self) -> str:
        """The stream's ARN: `arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/…`."""
        table = f"dynamodb:{self.region}:{self.account}:table/{self.table}"
        return f"arn:{partition_of(self.region)}:{table}/stream/{self.label}"
