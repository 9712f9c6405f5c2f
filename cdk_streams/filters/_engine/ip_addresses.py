"""Internet addresses in patterns: blocks for `cidr`, and texts that look like an address.

A text in a pattern that is an address matches every spelling of it: `::1` and `0:0:0:0:0:0:0:1`.
Addresses are compared by their hexadecimal digits, 8 of them for IPv4 and 32 for IPv6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdk_streams.errors import FilterError

__all__ = ["Block", "address_digits", "read_cidr"]

_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_MASK = re.compile(r"[+-]?\d{1,9}")
_LONGEST_IPV4 = len("255.255.255.255")
_HEXTETS = 8
_MAPPED_IPV4 = "0" * 20 + "FFFF"
_DIGIT_BITS = 4
_LARGEST_BYTE = 0xFF
_LARGEST_HEXTET = 0xFFFF


@dataclass(frozen=True, slots=True)
class Block:
    """A range of addresses by the digits of its lowest and highest, both included."""

    lowest: str
    highest: str

    def holds(self, value: object) -> bool:
        """Whether a value of a record is a text with an address of this block."""
        digits = address_digits(value) if isinstance(value, str) else None
        if digits is None:
            return False
        length = len(self.lowest)
        if len(digits) >= length:
            # The engine behind Lambda stops at the digit that decides, so an IPv6 address is also
            # held by an IPv4 block that its first eight digits fall into.
            return self.lowest <= digits[:length] <= self.highest
        return self.lowest[: len(digits)] < digits < self.highest[: len(digits)]


def address_digits(text: str) -> str | None:
    """The digits of an address (`"10.0.0.33"` gives `"0A000021"`), None for any other text."""
    if _IPV4.fullmatch(text):
        return _ipv4_digits(text)
    return _ipv6_digits(text) if _IPV6.fullmatch(text) else None


def read_cidr(text: str, where: str) -> Block:
    """The block of `10.0.0.0/24`; `FilterError` for what is none. One address takes no mask."""
    address, slash, mask = text.rstrip("/").partition("/")
    if not slash or "/" in mask or not _MASK.fullmatch(mask):
        raise FilterError(
            f'a cidr must be an address, one "/" and a number of bits, got {text!r}; '
            'write it as "10.0.0.0/24"',
            where=where,
        )
    digits = address_digits(address)
    if digits is None:
        raise FilterError(f"{address!r} is neither an IPv4 nor an IPv6 address", where=where)
    bits = len(digits) * _DIGIT_BITS
    if not 0 <= int(mask) < bits:
        raise FilterError(
            f"the mask must be 0 to {bits - 1} bits, got {mask}; "
            "write the address itself, without a mask, for exactly one",
            where=where,
        )
    free = (1 << (bits - int(mask))) - 1
    number = int(digits, 16)
    return Block(f"{number & ~free:0{len(digits)}X}", f"{number | free:0{len(digits)}X}")


def _ipv4_digits(text: str) -> str | None:
    if len(text) > _LONGEST_IPV4:
        return None
    parts = [int(part) for part in text.split(".")]
    if max(parts) > _LARGEST_BYTE:
        return None
    return "".join(f"{part:02X}" for part in parts)


def _ipv6_digits(text: str) -> str | None:
    head, gap, tail = text.partition("::")
    groups = [part.split(":") if part else [] for part in (head, tail)]
    missing = _HEXTETS - sum(map(len, groups))
    if missing < 1 if gap else missing:
        return None
    hextets = groups[0] + ["0"] * missing + groups[1]
    if any(not hextet or int(hextet, 16) > _LARGEST_HEXTET for hextet in hextets):
        return None
    digits = "".join(f"{int(hextet, 16):04X}" for hextet in hextets)
    # An IPv4 address written as an IPv6 one is that IPv4 address.
    return digits.removeprefix(_MAPPED_IPV4) if digits.startswith(_MAPPED_IPV4) else digits
