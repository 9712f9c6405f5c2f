"""The conformance kit, with our live driver in Lambda's place: what AWS would be asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams.local import LocalAws, client
from conformance.compare import compare
from conformance.driven import can_be_driven, recorded
from conformance.questions import QUESTIONS
from conformance.recording import load, save

pytestmark = pytest.mark.e2e

ASKED = {"partial_bisect": "equal", "unknown_identifier": "decides"}


@pytest.mark.parametrize("name", ASKED)
def test_a_recording_of_the_live_driver_agrees_with_the_simulator(
    name: str, aws: LocalAws, tmp_path: Path
) -> None:
    (question,) = [each for each in QUESTIONS if each.name == name]
    assert can_be_driven(question)
    recording = load(save(recorded(question, lambda service: client(aws, service)), tmp_path))
    compared = compare(question, recording)
    assert (compared.verdict, compared.by_default) == (ASKED[name], True)
    assert all(call.began_ms <= call.ended_ms for call in recording.calls)
