"""Where a change comes from, and who made it."""

from __future__ import annotations

__all__ = ["Source", "UserIdentity", "read_source", "read_time", "read_user_identity"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

# Each is larger than any moment of this millennium in the coarser unit, and smaller than any since
# 1973 in its own.
_FIRST_MILLISECOND = 10**11
_FIRST_MICROSECOND = 10**14


class Source:
    """The stream that a change comes from: its ARN and the parts of it.

    `arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-09-17T14:11:11.040` has
    region `eu-west-1`, account `123456789012`, table `Orders` and that time as its label.
    """

    __slots__ = ("account", "arn", "label", "region", "table")

    def __init__(self, arn: str, region: str, account: str, table: str, label: str) -> None:
        self.arn = arn
        self.region = region
        self.account = account
        self.table = table
        self.label = label

    @property
    def table_name(self) -> str:
        """The table's name, under boto3's word for it."""
        return self.table

    def __eq__(self, other: object) -> bool:
        return self.arn == other.arn if isinstance(other, Source) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.arn)

    def __repr__(self) -> str:
        return f"Source({self.arn!r})"


class UserIdentity:
    """The identity of who made a change, when no request of an application did.

    For a deletion by time to live DynamoDB says type `Service` and principal id
    `dynamodb.amazonaws.com`.
    """

    __slots__ = ("principal_id", "type")

    def __init__(self, type_: str, principal_id: str) -> None:
        self.type = type_
        self.principal_id = principal_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UserIdentity):
            return NotImplemented
        return (self.type, self.principal_id) == (other.type, other.principal_id)

    def __hash__(self) -> int:
        return hash((self.type, self.principal_id))

    def __repr__(self) -> str:
        return f"UserIdentity({self.type!r}, {self.principal_id!r})"


def read_source(arn: Any) -> Source | None:
    """Take a stream's ARN apart; None for anything else."""
    if not isinstance(arn, str):
        return None
    head, _, tail = arn.partition(":table/")
    prefix = head.split(":")
    table, _, label = tail.partition("/stream/")
    if len(prefix) != len(("arn", "aws", "dynamodb", "region", "account")) or not (table and label):
        return None
    return Source(arn, prefix[3], prefix[4], table, label)


def read_user_identity(identity: Any) -> UserIdentity | None:
    """Read `{"type": …, "principalId": …}`; the Streams API writes both names in capitals."""
    if not isinstance(identity, dict) or not identity:
        return None
    kind = identity.get("type", identity.get("Type"))
    principal = identity.get("principalId", identity.get("PrincipalId"))
    return UserIdentity(str(kind), str(principal))


def read_time(moment: Any) -> datetime | None:
    """Read epoch seconds, whole or fractional, as an aware UTC datetime; None for anything else.

    Lambda sends seconds. Others send milliseconds or microseconds, which no number of seconds can
    be taken for, or ISO 8601 text, in UTC unless it says otherwise. boto3 gives a datetime.
    """
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - 2 ms that most handlers need not pay

    if isinstance(moment, str):
        moment = _iso_time(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(moment, bool) or not isinstance(moment, (int, float)):
        return None
    try:
        if moment >= _FIRST_MICROSECOND:
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=moment)
        seconds = moment / 1000 if moment >= _FIRST_MILLISECOND else moment
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso_time(text: str) -> datetime | None:
    from datetime import datetime  # noqa: PLC0415 - as in read_time

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
