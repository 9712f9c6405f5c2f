"""The two numbers of a stream record itself. Unlike attributes, they are compared as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from cdk_streams.errors import FilterError
from cdk_streams.filters._conditions import Condition, field
from cdk_streams.filters._engine.numbers import exact_double

__all__ = ["ApproximateCreationDateTime", "RecordNumber", "SizeBytes"]

Number: TypeAlias = int | float | Decimal | datetime


@dataclass(frozen=True, slots=True)
class RecordNumber:
    """A number beside the images, tested with boto3's verbs."""

    name: Literal["SizeBytes", "ApproximateCreationDateTime"]

    def eq(self, value: Number) -> Condition:
        """It is this number."""
        return self._numeric("=", value)

    def ne(self, *values: Number) -> Condition:
        """It is none of these numbers."""
        return self._field({"anything-but": [self._number(value) for value in values]})

    def lt(self, value: Number) -> Condition:
        """It is less."""
        return self._numeric("<", value)

    def lte(self, value: Number) -> Condition:
        """It is less or equal."""
        return self._numeric("<=", value)

    def gt(self, value: Number) -> Condition:
        """It is greater."""
        return self._numeric(">", value)

    def gte(self, value: Number) -> Condition:
        """It is greater or equal."""
        return self._numeric(">=", value)

    def between(self, low: Number, high: Number) -> Condition:
        """It lies between two different numbers, both included."""
        return self._field({"numeric": [">=", self._number(low), "<=", self._number(high)]})

    def _numeric(self, sign: str, value: Number) -> Condition:
        return self._field({"numeric": [sign, self._number(value)]})

    def _field(self, operator: dict[str, object]) -> Condition:
        return field(("dynamodb", self.name), operator)

    def _number(self, value: Number) -> int | float:
        if isinstance(value, datetime):
            if self is SizeBytes or value.tzinfo is None:
                raise FilterError(
                    f"{self.name} is compared with "
                    f"{'bytes' if self is SizeBytes else 'a moment that has a time zone'}, "
                    f"got {value!r}"
                )
            return _plain(value.timestamp())
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise FilterError(f"{self.name} is a number, got {type(value).__name__}")
        number = value if isinstance(value, float) else exact_double(value)
        if number is None:
            raise FilterError(f"{value} has more digits than Lambda compares; use at most 15 or 16")
        return _plain(number)


SizeBytes: Final = RecordNumber("SizeBytes")
"""The size of the keys and images of a record, names and values, in bytes."""

ApproximateCreationDateTime: Final = RecordNumber("ApproximateCreationDateTime")
"""When the change was made, in whole seconds; compared with epoch seconds or an aware datetime."""


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number
