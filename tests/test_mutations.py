"""Wrong rules, made by hand: each must be found by the test that is named after the right one.

A rule is changed in a copy of the package, and the named test is run on the copy, in this process.
When a refactoring moves a rule, its line here moves with it: the old text must be there, once.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
RULES = "tests/rules"


class Wrong(NamedTuple):
    """A rule, the text that states it, the text that states it wrongly, and who notices."""

    rule: str
    file: str
    right: str
    wrong: str
    test: str


WRONG_RULES = [
    Wrong(
        "the left half is rounded up",
        "poller/_calls.py",
        "middle = len(batch.records) // 2",
        "middle = (len(batch.records) + 1) // 2",
        "test_bisect.py::test_the_left_half_of_an_odd_batch_is_the_smaller",
    ),
    Wrong(
        "attempts are not reset after an advance",
        "poller/_calls.py",
        "work=(Batch(left, context.new_id()), *others))",
        "work=(lane.work[0]._replace(records=left, failures=1), *others))",
        "test_partial_responses.py::test_what_is_left_after_an_advance_has_a_fresh_budget",
    ),
    Wrong(
        "a record as old as the limit is too old",
        "poller/_batches.py",
        "> age_ms:",
        ">= age_ms:",
        "test_record_age.py::test_a_record_exactly_as_old_as_the_limit_is_called",
    ),
    Wrong(
        "sequence numbers are compared as text",
        "poller/_checkpoints.py",
        "place = bisect_left(shard.unsettled, min(waiting), key=int)",
        "place = bisect_left(shard.unsettled, min(map(str, waiting)))",
        "../unit/poller/test_checkpoints.py::"
        "test_the_checkpoint_stops_before_the_first_record_that_waits",
    ),
    Wrong(
        "the highest number reported counts",
        "poller/_responses.py",
        "first = min(first, places.get(name, first))",
        "first = places.get(name, first)",
        "test_partial_responses.py::"
        "test_the_lowest_identifier_counts_however_often_and_in_whatever_order",
    ),
    Wrong(
        "one retry too few",
        "poller/_calls.py",
        "batch.failures <= limit",
        "batch.failures < limit",
        "test_whole_batch_errors.py::test_one_retry_is_two_calls",
    ),
    Wrong(
        "a retry has a new request id",
        "poller/_calls.py",
        "token, batch.request_id, number",
        "token, f'{batch.request_id}-{number}', number",
        "test_whole_batch_errors.py::test_a_failed_batch_is_retried_whole_under_its_request_id",
    ),
    Wrong(
        "a throttle spends an attempt",
        "poller/_calls.py",
        "batch._replace(throttles=batch.throttles + 1)",
        "batch._replace(throttles=batch.throttles + 1, failures=batch.failures + 1)",
        "test_life_cycle.py::test_a_throttle_spends_no_attempt",
    ),
    Wrong(
        "one record that is too old discards its batch",
        "poller/_calls.py",
        "old, young = batch.records[:count], batch.records[count:]",
        "old, young = batch.records, batch.records[len(batch.records) :]",
        "test_record_age.py::test_only_the_too_old_records_at_the_front_are_discarded",
    ),
    Wrong(
        "a record too old that was never called counts no call",
        "poller/_failure_records.py",
        "_FEWEST_CALLS: Final = 1",
        "_FEWEST_CALLS: Final = 0",
        "test_record_age.py::test_a_record_too_old_is_never_called",
    ),
    Wrong(
        "a record too old that was retried counts one call",
        "poller/_failure_records.py",
        "max(_FEWEST_CALLS, invoke.attempt)",
        'max(_FEWEST_CALLS, invoke.attempt if condition == "RetryAttemptsExhausted" else 1)',
        "test_record_age.py::test_a_record_can_become_too_old_between_retries",
    ),
    Wrong(
        "a record larger than a call is sent",
        "poller/_lanes.py",
        "oversized=gathered.at_most > room_bytes(PayloadFit()) - state_bytes",
        "oversized=False",
        "test_filters_and_batching.py::test_a_record_larger_than_a_call_is_never_sent",
    ),
    Wrong(
        "waits do not grow",
        "poller/_calls.py",
        "assumptions.backoff_first_ms << min(times - 1, _MOST_DOUBLINGS)",
        "assumptions.backoff_first_ms",
        "test_whole_batch_errors.py::test_waits_double_up_to_the_cap",
    ),
    Wrong(
        "every filter must match",
        "poller/_event_source_mapping.py",
        "any(matches(record)",
        "all(matches(record)",
        "test_filters_and_batching.py::test_a_record_passes_when_one_of_several_filters_matches",
    ),
    Wrong(
        "children do not wait for their parents",
        "poller/_machine.py",
        "parent in known and not known[parent].done",
        "parent in known and False",
        "test_shards.py::test_children_are_read_after_their_parent_is_drained",
    ),
    Wrong(
        "windows begin at their first record",
        "poller/_windows.py",
        "return created - created % length_ms",
        "return created",
        "test_tumbling_windows.py::test_windows_begin_at_multiples_of_their_length",
    ),
    Wrong(
        "a window begins with a state",
        "poller/_windows.py",
        "OpenWindow(start_ms, {})",
        "OpenWindow(start_ms, {'sum': 10})",
        "test_tumbling_windows.py::test_state_runs_through_a_window_and_its_closing_call",
    ),
    Wrong(
        "a payload holds 7 MB",
        "mapping/limits.py",
        "MAX_PAYLOAD_BYTES: Final = 6 *",
        "MAX_PAYLOAD_BYTES: Final = 7 *",
        "test_filters_and_batching.py::test_a_call_holds_at_most_6_mb",
    ),
    Wrong(
        "records without a destination count as dropped",
        "poller/_assumptions.py",
        "dropped_without_destination: bool = False",
        "dropped_without_destination: bool = True",
        "test_life_cycle.py::test_without_a_destination_nothing_counts_as_dropped",
    ),
    Wrong(
        "a bucket gets the event as an object",
        "poller/_failure_records.py",
        "_payload_text(invocation_event(invoke, mapping.stream_arn))",
        "invocation_event(invoke, mapping.stream_arn)",
        "test_life_cycle.py::test_a_bucket_gets_the_records_themselves",
    ),
    Wrong(
        "records are spread by their number",
        "poller/_shards.py",
        'record["dynamodb"].get("Keys")',
        'record["dynamodb"].get("SequenceNumber")',
        "test_shards.py::test_records_of_one_item_share_a_lane",
    ),
    Wrong(
        "the checkpoint passes a lane that waits",
        "poller/_checkpoints.py",
        "shard.unsettled[place - 1] if place else None",
        "shard.after",
        "test_shards.py::test_a_blocked_lane_holds_the_checkpoint_but_not_the_others",
    ),
    Wrong(
        "the checkpoint is stored without its window",
        "poller/_checkpoints.py",
        "Checkpoint(shard.shard_id, number, window)",
        "Checkpoint(shard.shard_id, number)",
        "../unit/poller/test_windows.py::test_a_checkpoint_carries_the_state_up_to_it",
    ),
    Wrong(
        "a partial failure reads as an exception",
        "poller/_responses.py",
        'return Verdict("failed", 0, state=state, reason="the answer reports the first record")',
        'return Verdict("failed", 0, "Unhandled", state, "the answer reports the first record")',
        "test_partial_responses.py::test_records_behind_the_lowest_failure_are_retried_with_it",
    ),
]


class Reports:
    """A pytest plugin that keeps how tests ended."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome == "failed":
            self.outcomes.append(f"{report.when} {report.outcome}")


@contextmanager
def _imported_from(folder: Path) -> Iterator[None]:
    """Let our packages and the tests be imported anew, the packages from a folder."""

    def ours() -> dict[str, ModuleType]:
        names = ("cdk_streams", "lambda_runtime", "tests", "conftest")
        return {name: kept for name, kept in sys.modules.items() if name.split(".")[0] in names}

    before = ours()
    for name in before:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in ours():
            del sys.modules[name]
        sys.modules.update(before)


def _outcomes(folder: Path, test: str) -> list[str]:
    reports = Reports()
    # One test, its outcome, nothing else: no `-n`, no cache, no terminal, and no collection of the
    # garbage of the whole suite, which `unraisableexception` makes twice in each session.
    left_out = [f"-pno:{name}" for name in ("cacheprovider", "unraisableexception")]
    arguments = ["-q", "-s", *left_out, "--no-header", "--tb=no", f"{ROOT}/{RULES}/{test}"]
    arguments += ["-o", f"pythonpath={folder}"]
    with _imported_from(folder), redirect_stdout(io.StringIO()):
        pytest.main(arguments, plugins=[reports])
    return reports.outcomes


def copied(folder: Path) -> Path:
    """Copy both packages into a folder, and return it."""
    for package in ("cdk_streams", "lambda_runtime"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    return folder


def outcomes_of(wrong: Wrong, copy: Path) -> list[str]:
    """Return how the test of a rule ends while the copy states the rule wrongly."""
    path = (copy / "cdk_streams" / wrong.file).resolve()
    text = path.read_text(encoding="utf-8")
    assert text.count(wrong.right) == 1, f"{wrong.file} says {wrong.right!r} not exactly once"
    path.write_text(text.replace(wrong.right, wrong.wrong), encoding="utf-8")
    # A pyc is found by its source's time and size, which may both be the same as before.
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
    try:
        return _outcomes(copy, wrong.test)
    finally:
        path.write_text(text, encoding="utf-8")
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("mutated"))


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=lambda wrong: wrong.rule.replace(" ", "-"))
def test_a_wrong_rule_fails_the_test_of_the_right_one(wrong: Wrong, copy: Path) -> None:
    assert "call failed" in outcomes_of(wrong, copy)


def test_the_right_rules_pass_in_the_copy(copy: Path) -> None:
    assert set(_outcomes(copy, "test_bisect.py")) == {"call passed"}
