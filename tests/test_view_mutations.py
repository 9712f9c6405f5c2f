"""Wrong rules of a view, made by hand: each is found by the test named after the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mutations import Wrong, copied, outcomes_of

VIEWS = "../lambda_runtime/views"
ROUTES = "../lambda_runtime/_routing/batch_routes.py"
TESTS = "../unit/lambda_runtime/views"

WRONG_RULES = [
    Wrong(
        "groups change without marks",
        f"{VIEWS}/_writer.py",
        "            writes += self._view_writes(fresh, marks, leaving)\n",
        "            writes = self._view_writes(fresh, marks, leaving)\n",
        f"{TESTS}/test_writer.py::test_a_change_that_comes_twice_counts_once",
    ),
    Wrong(
        "a mark is written whatever is there",
        f"{VIEWS}/_marks.py",
        '"#sequence = :sequence AND #at = :at"',
        '"attribute_exists(#sequence)"',
        f"{TESTS}/test_writer.py::test_another_writer_that_was_faster_is_seen",
    ),
    Wrong(
        "an older change is applied",
        f"{VIEWS}/_marks.py",
        "return each.sequence > mark.sequence and",
        "return each.sequence != mark.sequence and",
        f"{TESTS}/test_writer.py::test_a_change_that_comes_late_does_not_count",
    ),
    Wrong(
        "a removed item's mark goes with it",
        f"{VIEWS}/_marks.py",
        "        row[EXPIRES_AT] = each.expires_at\n",
        "        row[EXPIRES_AT] = 0\n",
        f"{TESTS}/test_writer.py::"
        "test_a_removed_item_s_mark_expires_after_fifteen_days_and_no_other_does",
    ),
    Wrong(
        "the mark of an item in a group expires",
        f"{VIEWS}/_marks.py",
        "    if each.contribution is None:\n        row[EXPIRES_AT]",
        "    if True:\n        row[EXPIRES_AT]",
        f"{TESTS}/test_writer.py::"
        "test_a_removed_item_s_mark_expires_after_fifteen_days_and_no_other_does",
    ),
    Wrong(
        "what an item gave is not taken back",
        f"{VIEWS}/_groups.py",
        "((before, Decimal(-1)), (after, Decimal(1)))",
        "((before, Decimal(0)), (after, Decimal(1)))",
        f"{TESTS}/test_writer.py::test_an_item_that_is_new_changes_and_goes",
    ),
    Wrong(
        "an empty group stays",
        f"{VIEWS}/_groups.py",
        'if delete else "#items > :gone"',
        'if delete else "#items >= :gone"',
        f"{TESTS}/test_writer.py::test_an_item_that_is_new_changes_and_goes",
    ),
    Wrong(
        "a group is deleted with what came meanwhile",
        f"{VIEWS}/_groups.py",
        '"#items = :gone" if delete',
        '"attribute_exists(#items)" if delete',
        f"{TESTS}/test_writer.py::test_a_group_whose_last_items_leave_while_another_comes_stays",
    ),
    Wrong(
        "sums are added in Python's own precision",
        f"{VIEWS}/_groups.py",
        "_EXACT.add(delta.get(name, Decimal()), gain)",
        "delta.get(name, Decimal()) + gain",
        f"{TESTS}/test_view.py::test_a_sum_is_exact_in_any_order_whatever_python_s_decimal_context",
    ),
    Wrong(
        "a transaction has more than 100 actions",
        f"{VIEWS}/_transactions.py",
        "MOST_ACTIONS = 100",
        "MOST_ACTIONS = 150",
        f"{TESTS}/test_writer.py::test_all_items_of_a_batch_go_in_few_transactions",
    ),
    Wrong(
        "a conflict is not tried again",
        f"{VIEWS}/_transactions.py",
        '    "TransactionConflict",\n',
        "",
        f"{TESTS}/test_writer.py::test_a_conflict_is_tried_again_after_a_pause",
    ),
    Wrong(
        "a scan replaces whatever was there",
        f"{VIEWS}/_marks.py",
        "        return each.at > mark.at\n",
        "        return True\n",
        f"{TESTS}/test_backfill.py::test_an_item_of_a_scan_does_not_replace_a_change_made_since",
    ),
    Wrong(
        "a change made before the scan replaces it",
        f"{VIEWS}/_marks.py",
        "(each.at >= mark.at or not mark.scanned)",
        "True",
        f"{TESTS}/test_backfill.py::test_a_change_made_before_the_scan_is_old_news_to_it",
    ),
    Wrong(
        "a rebuild takes what was made before it",
        f"{VIEWS}/_marks.py",
        "        return each.scanned or each.at >= since\n",
        "        return True\n",
        f"{TESTS}/test_backfill.py::test_a_rebuild_leaves_what_was_made_before_it_to_its_backfill",
    ),
    Wrong(
        "a projected item stays under its old key",
        f"{VIEWS}/_projection.py",
        "(after is None or after.key != before.key)",
        "after is None",
        f"{TESTS}/test_projection.py::"
        "test_a_projected_item_moves_with_its_key_and_goes_with_its_source",
    ),
    Wrong(
        "an item takes the key of another",
        f"{VIEWS}/_projection.py",
        'f"attribute_not_exists(#source) OR {ours}"',
        '"attribute_not_exists(#source) OR attribute_exists(#source)"',
        f"{TESTS}/test_projection.py::test_two_items_of_one_key_are_refused_and_the_first_stays",
    ),
    Wrong(
        "a failed item is named by its last record",
        ROUTES,
        "min(first for first, _, _ in todo)",
        "min(last for _, last, _ in todo)",
        "../unit/lambda_runtime/test_batch_routes.py::"
        "test_a_failed_item_is_named_by_its_first_record",
    ),
    Wrong(
        "changes behind a failed record are handled",
        ROUTES,
        "            if position < end:\n",
        "            if True:\n",
        "../unit/lambda_runtime/test_batch_routes.py::"
        "test_a_writer_gets_nothing_behind_what_another_one_could_not_write",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("mutated"))


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=lambda wrong: wrong.rule.replace(" ", "-"))
def test_a_wrong_rule_fails_the_test_of_the_right_one(wrong: Wrong, copy: Path) -> None:
    assert "call failed" in outcomes_of(wrong, copy)
