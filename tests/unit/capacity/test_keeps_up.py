from __future__ import annotations

import pytest

from cdk_streams.capacity import WriteRate, assert_keeps_up
from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.mapping import MappingSettings


def test_settings_that_keep_up_pass_and_return_the_forecast() -> None:
    found = assert_keeps_up(
        MappingSettings(parallelization_factor=10), rate=1000, record_ms=5, call_ms=20
    )
    assert found.handled + found.waiting == 3_600_000
    assert found.lag.total_seconds() < 1


def test_settings_that_fall_behind_fail_with_what_would_keep_up() -> None:
    with pytest.raises(AssertionError) as failed:
        assert_keeps_up(MappingSettings(), rate=1000, record_ms=5, call_ms=20)
    message = str(failed.value)
    assert "under 10 s at 1000 writes a second, got 2," in message
    assert "; batch_size=" in message
    assert "parallelization_factor=" in message


def test_where_nothing_keeps_up_shards_and_milliseconds_are_named() -> None:
    with pytest.raises(
        AssertionError, match=r"no settings keep up.* 7 shards, [78]\.\d ms a record"
    ):
        assert_keeps_up(MappingSettings(), rate=1000, record_ms=50, call_ms=20)


def test_a_tumbling_window_is_refused() -> None:
    with pytest.raises(SettingsError, match="no tumbling_window to be sized, got 60 s"):
        assert_keeps_up(MappingSettings(tumbling_window=60), rate=1, record_ms=1)


def test_rates_out_of_order_or_negative_are_refused() -> None:
    with pytest.raises(SourceError, match="steps from second 0 on, in order"):
        WriteRate([(10, 1)], 60)
    with pytest.raises(SourceError, match="must be a number from 0, got -1"):
        WriteRate.by_minute([(0, -1)])
