"""The numbers that DynamoDB gives to the records of a stream."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["event_id", "sequence_number"]


def sequence_number(number: int) -> str:
    """Return the sequence number of the n-th record of a stream, counted from 1.

    They grow as integers and not as text, like DynamoDB's: the first nine have 21 digits, the next
    ninety 22, so that code which compares them as text fails its test.
    """
    return f"{number}0000{number * 7_046_029_254_386_353 % 10**16:016}"


def event_id(arn: str, sequence: str) -> str:
    """Return an `eventID`: 32 hexadecimal digits, the same for the same record."""
    return blake2b(f"{arn} {sequence}".encode(), digest_size=16).hexdigest()
