"""Rules for internet addresses, as blocks and as texts that look like one."""

from __future__ import annotations

import pytest

from cdk_streams.errors import FilterError
from cdk_streams.filters import matches

BLOCKS = {
    "an address inside": ("10.0.0.0/24", "10.0.0.255", True),
    "an address outside": ("10.0.0.0/24", "10.0.1.0", False),
    "the base may have host bits": ("10.0.0.7/24", "10.0.0.1", True),
    "mask zero holds every IPv4 address": ("0.0.0.0/0", "255.255.255.255", True),
    "IPv6 inside": ("fe80::/10", "fe80::1", True),
    "IPv6 outside": ("fe80::/10", "2001:db8::1", False),
    "leading zeros are decimal": ("10.0.0.0/8", "010.000.000.001", True),
    "a mapped IPv4 address is that IPv4 address": ("10.0.0.0/8", "::ffff:a00:1", True),
    "an IPv6 address is judged by its first digits": ("10.0.0.0/8", "a00:1::", True),
    "an IPv4 address strictly inside an IPv6 block's first digits": ("::/1", "10.0.0.1", True),
    "an IPv4 address at the edge of an IPv6 block's first digits": ("1::/16", "0.1.0.0", False),
    "a text that is no address": ("0.0.0.0/0", "localhost", False),
    "a number is no address": ("0.0.0.0/0", 10, False),
    "a byte above 255": ("0.0.0.0/0", "256.1.1.1", False),
    "three bytes": ("0.0.0.0/0", "1.2.3", False),
    "two gaps": ("::/0", "1::2::3", False),
    "a group of five hexadecimal digits": ("::/0", "12345::", False),
    "a group with leading zeros": ("::/0", "00001::", True),
    "a gap for one group": ("::/0", "1:2:3:4:5:6:7::", True),
    "a gap for no group": ("::/0", "1:2:3:4:5:6:7:8::", False),
    "eight groups": ("::/0", "1:2:3:4:5:6:7:8", True),
    "an empty group": ("::/0", ":1:2:3:4:5:6:7", False),
}


@pytest.mark.parametrize(("block", "value", "expected"), BLOCKS.values(), ids=BLOCKS.keys())
def test_an_address_block(block: str, value: object, expected: bool) -> None:
    assert matches({"ip": [{"cidr": block}]}, {"ip": value}) is expected


LITERALS = {
    "an address equals itself": ("10.0.0.33", "10.0.0.33", True),
    "an address equals its other spelling": ("::1", "0:0:0:0:0:0:0:1", True),
    "an address is not its neighbour": ("10.0.0.33", "10.0.0.34", False),
    "an address that ends in the highest digit": ("10.0.0.255", "10.0.0.254", False),
    "a time of day is a text": ("12:30", "12:30", True),
    "an overlong byte is a text": ("256.1.1.1", "256.1.1.1", True),
}


@pytest.mark.parametrize(("literal", "value", "expected"), LITERALS.values(), ids=LITERALS.keys())
def test_a_text_that_looks_like_an_address(literal: str, value: str, expected: bool) -> None:
    assert matches({"ip": [literal]}, {"ip": value}) is expected


@pytest.mark.parametrize(
    "block",
    ["10.0.0.1", "10.0.0.0/", "10.0.0.0/a", "10.0.0.0/-1", "10.0.0.0/32", "::/128", "host/8", "/8"],
)
def test_a_block_that_is_none_is_refused(block: str) -> None:
    with pytest.raises(FilterError, match=r"^\$\.ip\[0\]\.cidr: "):
        matches({"ip": [{"cidr": block}]}, {})
