from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from cdk_streams.errors import FilterError, SettingsError
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping, seeded_ids


def _mapping(settings: MappingSettings) -> EventSourceMapping:
    return EventSourceMapping(settings=settings, function_arn="f", stream_arn="s", uuid="u")


def test_ids_are_version_4_uuids_and_a_function_of_the_seed() -> None:
    ids = [seeded_ids("a")(number) for number in range(200)]
    assert len(set(ids)) == 200
    assert all(uuid.UUID(each).version == 4 for each in ids)
    assert all(uuid.UUID(each).variant == uuid.RFC_4122 for each in ids)
    assert ids == [seeded_ids("a")(number) for number in range(200)]
    assert not set(ids) & {seeded_ids("b")(number) for number in range(200)}


def test_a_reference_must_be_resolved_before_the_mapping_runs() -> None:
    settings = MappingSettings(on_failure={"Fn::GetAtt": ["Queue", "Arn"]})
    with pytest.raises(SettingsError, match="on_failure must be an ARN to run the mapping"):
        _mapping(settings)


def test_a_filter_that_lambda_would_refuse_is_refused() -> None:
    with pytest.raises((FilterError, SettingsError)):
        _mapping(MappingSettings(filters=['{"dynamodb":{}}']))


def test_durations_become_milliseconds() -> None:
    mapping = _mapping(
        MappingSettings(max_record_age=60, max_batching_window=5, tumbling_window=None)
    )
    assert mapping.max_age_ms == 60_000
    assert mapping.batching_window_ms == 5_000
    assert mapping.tumbling_window_ms is None


def test_a_time_scale_divides_the_maximum_record_age() -> None:
    settings = MappingSettings(max_record_age=60, max_batching_window=5)
    mapping = replace(_mapping(settings), time_scale=10)
    assert mapping.max_age_ms == 6_000
    assert mapping.batching_window_ms == 5_000
    # A driver replaces the settings of a mapping: the scale stays.
    assert replace(mapping, settings=MappingSettings(max_record_age=600)).max_age_ms == 60_000


@pytest.mark.parametrize("scale", [0, 0.5, 1_001])
def test_a_time_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(SettingsError, match="time_scale must be 1 to 1,000, got"):
        replace(_mapping(MappingSettings()), time_scale=scale)
