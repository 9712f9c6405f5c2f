"""A table's stream as a value, and the numbers that DynamoDB gives its records."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeAlias

__all__ = ["TableStream", "ViewType", "event_id", "sequence_number"]

ViewType: TypeAlias = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]


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
        return (
            f"arn:aws:dynamodb:{self.region}:{self.account}:table/{self.table}/stream/{self.label}"
        )


def sequence_number(number: int) -> str:
    """Return the sequence number of the n-th record of a stream, counted from 1.

    They grow as integers and not as text, like DynamoDB's: the first nine have 21 digits, the next
    ninety 22, so that code which compares them as text fails its test.
    """
    return f"{number}0000{number * 7_046_029_254_386_353 % 10**16:016}"


def event_id(arn: str, sequence: str) -> str:
    """Return an `eventID`: 32 hexadecimal digits, the same for the same record."""
    return blake2b(f"{arn} {sequence}".encode(), digest_size=16).hexdigest()
