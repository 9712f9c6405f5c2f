"""The state of a tumbling window is stored with the checkpoint that it belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cdk_streams.mapping import MAX_WINDOW_STATE_BYTES, MappingSettings
from cdk_streams.poller import (
    Checkpoint,
    Disabled,
    Effect,
    Enabled,
    Errored,
    OpenWindow,
    Restarted,
    Returned,
    ShardDone,
)
from cdk_streams.simulator import insert
from cdk_streams.simulator._records import START
from cdk_streams.testing import PollerHarness

LENGTH_S = 10
FIRST_MS = round(START.timestamp() * 1000) // (LENGTH_S * 1000) * (LENGTH_S * 1000)


def _record(number: int, window: int = 0) -> dict[str, Any]:
    return insert({"pk": str(number)}, number=number, at=START + timedelta(seconds=10 * window))


def _number(number: int) -> str:
    text: str = _record(number)["dynamodb"]["SequenceNumber"]
    return text


def _poller(**kept: Any) -> PollerHarness:
    settings = MappingSettings(batch_size=1, tumbling_window=LENGTH_S, retry_attempts=0)
    poller = PollerHarness(settings, **kept)
    poller.list_shards("a")
    return poller


def _stored(effects: list[Effect]) -> list[Checkpoint]:
    return [each for each in effects if isinstance(each, Checkpoint)]


def test_a_checkpoint_carries_the_state_up_to_it() -> None:
    poller = _poller()
    poller.give("a", [_record(1), _record(2)])
    for number, total in ((1, 1), (2, 3)):
        asked = poller.end("a", Returned({"state": {"sum": total}}))
        window = OpenWindow(FIRST_MS, {"sum": total})
        assert _stored(asked) == [Checkpoint("a", _number(number), window)]


def test_without_windows_a_checkpoint_carries_nothing() -> None:
    poller = PollerHarness(MappingSettings(batch_size=1))
    poller.list_shards("a")
    poller.give("a", [_record(1)])
    assert _stored(poller.end("a", Returned({"state": {"sum": 1}}))) == [
        Checkpoint("a", _number(1))
    ]


def test_a_record_discarded_leaves_the_state_as_it_was() -> None:
    poller = _poller()
    poller.give("a", [_record(1), _record(2)])
    poller.end("a", Returned({"state": {"sum": 1}}))
    assert _stored(poller.end("a", Errored())) == [
        Checkpoint("a", _number(2), OpenWindow(FIRST_MS, {"sum": 1}))
    ]


def test_a_window_that_closes_is_taken_from_the_checkpoint_that_stays() -> None:
    poller = _poller()
    poller.give("a", [_record(1), _record(2, window=1)])
    poller.end("a", Returned({"state": {"sum": 1}}))
    assert poller.call("a").records == ()
    assert _stored(poller.end("a")) == [Checkpoint("a", _number(1))]


def test_a_closing_call_discarded_closes_the_stored_window_too() -> None:
    poller = _poller()
    poller.give("a", [_record(1), _record(2, window=1)])
    poller.end("a", Returned({"state": {"sum": 1}}))
    assert _stored(poller.end("a", Errored())) == [Checkpoint("a", _number(1))]


def test_a_shard_is_done_after_its_window_is_closed() -> None:
    poller = _poller()
    poller.give("a", [_record(1)], closed=True)
    poller.end("a", Returned({"state": {"sum": 1}}))
    asked = poller.end("a")
    assert asked[-2:] == [Checkpoint("a", _number(1)), ShardDone("a")]


def test_another_poller_goes_on_with_the_stored_state() -> None:
    window = OpenWindow(FIRST_MS, {"sum": 3})
    poller = _poller(checkpoints={"a": _number(2)}, windows={"a": window})
    poller.give("a", [_record(3), _record(4, window=1)])
    for records, state, final in (
        ((_record(3),), {"sum": 3}, False),
        ((), {"sum": 6}, True),
        ((_record(4, window=1),), {}, False),
    ):
        call = poller.call("a")
        assert call.window is not None
        assert (call.records, call.window.state, call.window.final) == (records, state, final)
        poller.end("a", Returned({"state": {"sum": 6}}))


def test_a_stored_window_closes_at_the_end_of_its_shard() -> None:
    window = OpenWindow(FIRST_MS, {"sum": 3})
    poller = _poller(checkpoints={"a": _number(2)}, windows={"a": window})
    poller.give("a", closed=True)
    call = poller.call("a")
    assert call.window is not None
    assert (call.window.state, call.window.final) == ({"sum": 3}, True)


def test_what_is_stored_is_what_a_replaced_host_goes_on_with() -> None:
    poller = _poller()
    poller.give("a", [_record(1), _record(2)])
    (stored,) = _stored(poller.end("a", Returned({"state": {"sum": 1}})))
    poller.tell(Restarted())
    lane = poller.poller.shards["a"].lanes[0]
    assert lane.window == stored.window


TOO_LARGE = {"sum": "x" * MAX_WINDOW_STATE_BYTES}


def test_a_stored_state_that_is_too_large_ends_its_window_early() -> None:
    """The closing call that was due when the driver died is made before the next record."""
    kept = {"a": OpenWindow(FIRST_MS, TOO_LARGE)}
    poller = _poller(checkpoints={"a": _number(1)}, windows=kept)
    poller.give("a", [_record(2)])
    window = poller.call("a").window
    assert window is not None
    assert (window.state, window.final, window.early) == (TOO_LARGE, True, True)


def test_a_state_that_became_too_large_while_disabled_ends_its_window_early() -> None:
    poller = _poller()
    poller.give("a", [_record(1)])
    poller.tell(Disabled())
    poller.end("a", Returned({"state": TOO_LARGE}))
    poller.tell(Enabled())
    poller.give("a", [_record(2)])
    window = poller.call("a").window
    assert window is not None
    assert (window.state, window.early) == (TOO_LARGE, True)


def test_a_mapping_that_has_lost_its_windows_leaves_the_stored_one_behind() -> None:
    kept = {"a": OpenWindow(FIRST_MS, {"sum": 3})}
    poller = PollerHarness(MappingSettings(), checkpoints={"a": _number(2)}, windows=kept)
    poller.list_shards("a")
    poller.give("a", [_record(3)])
    assert poller.call("a").window is None
    assert _stored(poller.end("a")) == [Checkpoint("a", _number(3))]
