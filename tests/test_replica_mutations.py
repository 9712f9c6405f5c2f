"""Wrong rules of replication, each found by the test that is named after the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mutations import Wrong, copied, outcomes_of

REPLICA = "../unit/lambda_runtime/replication/test_replica.py"

WRONG_RULES = [
    Wrong(
        "an item is put over a newer one",
        "../lambda_runtime/replication/_requests.py",
        'condition = f"attribute_not_exists(#sequence) OR {newer}"',
        'condition = f"attribute_not_exists(#nothing) OR {newer}"; names["#nothing"] = "nothing"',
        f"{REPLICA}::test_an_older_change_never_replaces_a_newer_one",
    ),
    Wrong(
        "a delete leaves no tombstone",
        "../lambda_runtime/replication/_requests.py",
        'return {DELETED: {"BOOL": True}, EXPIRES_AT',
        "return {EXPIRES_AT",
        f"{REPLICA}::test_a_delete_leaves_a_tombstone_that_no_older_change_replaces",
    ),
    Wrong(
        "the item under the old key stays",
        "../lambda_runtime/replication/_replica.py",
        "gone = [key for key in self._old_keys(change, keys) if key not in new]",
        "gone = [key for key in self._old_keys(change, keys) if not new]",
        f"{REPLICA}::test_when_a_key_changes_the_item_under_the_old_key_is_removed",
    ),
    Wrong(
        "one source item may overwrite another",
        "../lambda_runtime/replication/_requests.py",
        'newer = f"(#owner = :owner AND {newer})"',
        'newer = f"({newer} OR #owner <> :owner)"',
        f"{REPLICA}::test_two_source_items_with_one_target_key_are_refused",
    ),
    Wrong(
        "a key that was given up stays taken",
        "../lambda_runtime/replication/_requests.py",
        "        if may_take:",
        "        if not may_take:",
        f"{REPLICA}::test_a_key_that_another_item_has_given_up_can_be_taken",
    ),
    Wrong(
        "what a backfill reads is newer than the stream",
        "../lambda_runtime/replication/_requests.py",
        'return "-" + padded(str(int(read_at_s * 1000)))[1:]',
        "return padded(str(int(read_at_s * 1000)))",
        "../unit/data/test_backfill.py::test_every_change_of_the_stream_is_newer_than_what_was_read",
    ),
    Wrong(
        "expired items are deleted although they are to stay",
        "../lambda_runtime/replication/_replica.py",
        "if self.settings.skip_expired and isinstance",
        "if not self.settings.skip_expired and isinstance",
        f"{REPLICA}::test_deletes_by_time_to_live_can_be_left_out",
    ),
    Wrong(
        "marks of another replica are copied as data",
        "../lambda_runtime/replication/_requests.py",
        "return name in _GUARD",
        "return False",
        f"{REPLICA}::test_a_replica_of_a_replica_copies_data_and_deletes_not_marks",
    ),
    Wrong(
        "a replicated write is sent back",
        "../lambda_runtime/replication/_two_way.py",
        "if VERSION not in new or new.get(version) != new[VERSION]:",
        "if VERSION in new:",
        f"{REPLICA}::test_a_write_that_came_from_the_other_replica_is_not_sent_back",
    ),
    Wrong(
        "the lower version wins",
        "../lambda_runtime/replication/_two_way.py",
        '"attribute_not_exists(#version) OR #version < :version"',
        '"attribute_not_exists(#version) OR #version <> :version"',
        f"{REPLICA}::test_the_higher_version_wins_and_the_loser_is_counted",
    ),
    Wrong(
        "progress is kept before the items are written",
        "data/_table_backfill.py",
        "            written = writer.write(page.items, backfill_mark(page.read_at_s))",
        "            save(PartProgress(page.next_key, False, counts))\n"
        "            written = writer.write(page.items, backfill_mark(page.read_at_s))",
        "../unit/data/test_backfill.py::test_a_backfill_that_was_interrupted_goes_on_where_it_was",
    ),
    Wrong(
        "what the stream is about to bring counts as different",
        "data/_comparison.py",
        "    for _ in range(rounds):",
        "    for _ in range(0):",
        "../unit/data/test_compare.py::test_what_the_stream_brings_within_the_lag_is_no_difference",
    ),
    Wrong(
        "a repair overwrites what was written meanwhile",
        "data/_repair.py",
        '"#sequence = :found"',
        '"#sequence = :found OR #sequence <> :found"',
        "../unit/data/test_compare.py::test_what_was_written_since_the_comparison_stays",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("mutated"))


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=lambda wrong: wrong.rule.replace(" ", "-"))
def test_a_wrong_rule_of_replication_fails_the_test_of_the_right_one(
    wrong: Wrong, copy: Path
) -> None:
    assert "call failed" in outcomes_of(wrong, copy)
