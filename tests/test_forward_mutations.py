"""Wrong rules of a forwarder, made by hand: each is found by the test named after the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mutations import Wrong, copied, outcomes_of

FORWARD = "../lambda_runtime/forward"
TESTS = "../unit/lambda_runtime/forward"

WRONG_RULES = [
    Wrong(
        "two changes of an item share a call",
        f"{FORWARD}/_entries.py",
        "(apart and entry.event.subject in items)",
        "(apart and entry.event.subject in ())",
        f"{TESTS}/test_delivery.py::test_no_change_overtakes_an_earlier_one_of_its_item",
    ),
    Wrong(
        "a refused entry counts as sent",
        f"{FORWARD}/_targets/event_bus.py",
        'if one.get("ErrorCode")',
        'if one.get("Error")',
        f"{TESTS}/test_delivery.py::test_the_first_record_that_was_not_accepted_is_named",
    ),
    Wrong(
        "an entry that the answer leaves out counts as sent",
        f"{FORWARD}/_targets/messages.py",
        "if place not in accepted",
        "if place not in accepted and False",
        f"{TESTS}/test_delivery.py::"
        "test_an_entry_that_an_answer_does_not_speak_of_was_not_accepted",
    ),
    Wrong(
        "the last failed record is named",
        f"{FORWARD}/_delivery.py",
        "left = [left[place] for place in sorted(refused)]",
        "left = [left[place] for place in sorted(refused, reverse=True)]",
        f"{TESTS}/test_delivery.py::test_the_first_record_that_was_not_accepted_is_named",
    ),
    Wrong(
        "a whole call is sent again",
        f"{FORWARD}/_delivery.py",
        "left = [left[place] for place in sorted(refused)]",
        "left = left if refused else []",
        f"{TESTS}/test_delivery.py::"
        "test_entries_refused_for_the_moment_are_sent_again_by_themselves",
    ),
    Wrong(
        "calls go on behind a failed one",
        f"{FORWARD}/_delivery.py",
        "        if failure is not None:\n            return failure\n    return None",
        "    return failure",
        f"{TESTS}/test_delivery.py::test_nothing_is_sent_behind_a_call_with_a_failed_entry",
    ),
    Wrong(
        "an event over the limit is sent as it is",
        f"{FORWARD}/_entries.py",
        "if len(text) > room:  # ASCII: as many bytes as characters.",
        "if False:",
        f"{TESTS}/test_delivery.py::test_events_at_and_over_a_service_s_limit_arrive",
    ),
    Wrong(
        "a call ignores its size in bytes",
        f"{FORWARD}/_entries.py",
        "size + entry.size_bytes > limits.call_bytes",
        "False",
        f"{TESTS}/test_entries.py::test_a_call_has_so_many_bytes_at_most",
    ),
    Wrong(
        "every number is a JSON number",
        f"{FORWARD}/_plain_values.py",
        "return abs(number) <= _LARGEST_INTEGER and Decimal(repr(float(number))) == number",
        "return True",
        f"{TESTS}/test_cloud_events.py::"
        "test_a_number_that_a_double_would_change_is_a_string_of_its_digits",
    ),
    Wrong(
        "an event is a new one each time it is sent",
        f"{FORWARD}/_targets/messages.py",
        'message["MessageDeduplicationId"] = entry.event.id',
        'message["MessageDeduplicationId"] = str(id(entry))',
        f"{TESTS}/test_delivery.py::test_a_batch_that_is_delivered_again_is_accepted_once",
    ),
    Wrong(
        "an object is named by the time of writing",
        f"{FORWARD}/_targets/objects.py",
        "mtime=0",
        "mtime=__import__('time').time_ns() % 2**32",
        f"{TESTS}/test_delivery.py::test_an_object_is_named_and_written_by_its_changes_alone",
    ),
    Wrong(
        "a change that came by a bus is another one",
        "../lambda_runtime/_changes/envelopes.py",
        "if pointer in types:",
        "if False:",
        f"{TESTS}/test_cloud_events.py::test_parse_gives_the_same_change_whatever_way_it_came",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("mutated"))


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=lambda wrong: wrong.rule.replace(" ", "-"))
def test_a_wrong_rule_fails_the_test_of_the_right_one(wrong: Wrong, copy: Path) -> None:
    assert "call failed" in outcomes_of(wrong, copy)
