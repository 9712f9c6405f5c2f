from __future__ import annotations

import pytest

from cdk_streams.poller._timestamps import java_double, milliseconds_text, s3_folder, seconds_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1789651660.0, "1.78965166E9"),
        (1789651660, "1.78965166E9"),
        (1789654328.25, "1.78965432825E9"),
        (1767225600.0, "1.7672256E9"),
        (1e9, "1.0E9"),
        (10_000_000.0, "1.0E7"),
        (9_999_999.0, "9999999.0"),
        (123.5, "123.5"),
        (0.0, "0.0"),
        (0.001, "0.001"),
        (0.00012, "1.2E-4"),
        (-1789651660.0, "-1.78965166E9"),
        (1.5e300, "1.5E300"),
        (1e16, "1.0E16"),
        (1e-10, "1.0E-10"),
    ],
)
def test_numbers_are_written_as_java_does(number: float, text: str) -> None:
    assert java_double(number) == text
    assert float(java_double(number)) == number


def test_moments_are_written_in_utc_and_cut() -> None:
    moment = 1_789_654_466_999
    assert seconds_text(moment) == "2026-09-17T14:14:26Z"
    assert milliseconds_text(moment) == "2026-09-17T14:14:26.999Z"
    assert s3_folder(moment) == "2026/09/17/2026-09-17T14.14.26"
