"""Changes applied to a view: once in effect, in one transaction with the marks of their items."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB, RequestFailed
from lambda_runtime import MissingImageError, parse
from lambda_runtime.views import (
    Count,
    Sum,
    View,
    ViewError,
    ViewWriter,
)

FIFTEEN_DAYS_S = 15 * 24 * 60 * 60
CREATED_S = 1_789_654_328.0
HOUR_S = 3600.0


def canceled(*codes: str) -> RequestFailed:
    error = RequestFailed("TransactionCanceledException")
    error.response["CancellationReasons"] = [{"Code": code} for code in codes]
    return error


class Failing:
    """What a table's next transactions raise, before anything is written."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]
        self.operations: list[str] = []

    def __call__(self, operation: str, _request: dict[str, Any]) -> None:
        self.operations.append(operation)
        if operation == "TransactWriteItems" and self.errors:
            raise self.errors.pop(0)


def test_an_item_that_is_new_changes_and_goes(change: Any, apply: Any, totals: Any) -> None:
    apply(change(1, customer="a", total=3))
    assert totals() == {"a": (1, 3)}
    apply(change(2, customer="a", total=5))
    assert totals() == {"a": (1, 5)}
    apply(change(3))
    assert totals() == {}


def test_an_item_that_changes_its_group_leaves_the_old_one_in_the_same_transaction(
    change: Any, view: View, apply: Any
) -> None:
    seen = Failing()
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=seen)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)
    apply(
        change(1, "o-1", customer="a", total=3), change(2, "o-2", customer="a", total=4), by=writer
    )
    seen.operations.clear()

    apply(change(3, "o-1", customer="b", total=3), by=writer)

    assert seen.operations == ["BatchGetItem", "TransactWriteItems"]
    assert [(row["customer"], row["total"]) for row in dynamodb.items("totals")] == [
        ("a", 4),
        ("b", 3),
    ]


def test_a_change_that_comes_twice_counts_once(change: Any, apply: Any, totals: Any) -> None:
    apply(change(1, customer="a", total=3))
    apply(change(1, customer="a", total=3))

    assert totals() == {"a": (1, 3)}


def test_a_change_that_comes_late_does_not_count(change: Any, apply: Any, totals: Any) -> None:
    apply(change(2, customer="b", total=5))
    apply(change(1, customer="a", total=3))

    assert totals() == {"b": (1, 5)}


def test_a_late_insert_does_not_bring_a_removed_item_back(
    change: Any, apply: Any, totals: Any
) -> None:
    apply(change(2))
    apply(change(1, customer="a", total=3))

    assert totals() == {}


def test_a_change_that_never_came_leaves_no_trace_after_the_next(
    change: Any, apply: Any, totals: Any
) -> None:
    # The second of three was lost: the third replaces what the mark says, not its old image.
    apply(change(1, customer="a", total=3))
    apply(change(3, customer="a", total=7))

    assert totals() == {"a": (1, 7)}


def test_a_removed_item_s_mark_expires_after_fifteen_days_and_no_other_does(
    change: Any, apply: Any, dynamodb: FakeDynamoDB
) -> None:
    apply(change(1, "o-1", customer="a"), change(2, "o-2"), change(3, "o-3", total=9))

    expiring = {row["item"]: row.get("_stream_expires_at") for row in dynamodb.stored("marks")}
    assert expiring == {
        '{"order_id":{"S":"o-1"}}': None,
        '{"order_id":{"S":"o-2"}}': CREATED_S + FIFTEEN_DAYS_S,
        # It has no customer: an item of no group needs no longer memory.
        '{"order_id":{"S":"o-3"}}': CREATED_S + FIFTEEN_DAYS_S,
    }


def test_all_items_of_a_batch_go_in_few_transactions(change: Any, view: View, apply: Any) -> None:
    seen = Failing()
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=seen)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)

    # 150 marks and two groups: 98 marks and two groups fill the first transaction.
    done = apply(
        *(change(n, f"o-{n}", customer="ab"[n % 2], total=1) for n in range(150)), by=writer
    )

    assert done == [98, 100, 150]
    assert seen.operations.count("TransactWriteItems") == 3
    assert seen.operations.count("BatchGetItem") == 2
    assert [row["orders"] for row in dynamodb.items("totals")] == [75, 75]


def test_a_change_of_nothing_that_counts_writes_its_mark_alone(
    change: Any, view: View, apply: Any
) -> None:
    sizes: list[int] = []

    def count(operation: str, request: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            sizes.append(len(request["TransactItems"]))

    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=count)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)
    apply(change(1, customer="a", total=3, note="x"), by=writer)
    apply(change(2, customer="a", total=3, note="y"), by=writer)

    assert sizes == [2, 1]


def test_a_conflict_is_tried_again_after_a_pause(
    change: Any, view: View, apply: Any, paused: list[float]
) -> None:
    seen = Failing(canceled("None", "TransactionConflict"), canceled("ThrottlingError", "None"))
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=seen)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)

    apply(change(1, customer="a", total=3), by=writer)

    assert [row["total"] for row in dynamodb.items("totals")] == [3]
    assert 0.02 <= paused[0] <= 0.04 <= paused[1] <= 0.08


def test_a_conflict_that_does_not_end_is_raised_for_lambda_to_try_again(
    change: Any, view: View, apply: Any, paused: list[float]
) -> None:
    seen = Failing(*(canceled("TransactionConflict") for _ in range(99)))
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=seen)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)

    with pytest.raises(RequestFailed, match="TransactionCanceledException"):
        apply(change(1, customer="a", total=3), by=writer)
    assert len(paused) == 7


def test_a_group_that_others_change_again_and_again_is_given_time(
    change: Any, view: View, apply: Any, paused: list[float]
) -> None:
    # One refusal is how a group that empties is found out; more are others who were faster.
    refusals = [canceled("None", "ConditionalCheckFailed") for _ in range(4)]
    seen = Failing(*refusals)
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}, on_request=seen)
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)

    apply(change(1, customer="a", total=3), by=writer)

    assert [row["total"] for row in dynamodb.items("totals")] == [3]
    assert len(paused) == 3


@pytest.mark.parametrize("is_known", [False, True])
def test_another_writer_that_was_faster_is_seen(
    change: Any, view: View, apply: Any, *, is_known: bool
) -> None:
    # The mark is read, then a redrive of a newer change writes it, then ours is refused.
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)})
    other = ViewWriter(view, target="totals", marks="marks", client=dynamodb)
    if is_known:
        apply(change(1, "o-1", customer="b", total=1), change(1, "o-9", customer="b"), by=other)
    faster = [change(3, customer="b", total=5)]

    class Late:
        def batch_get_item(self, **request: Any) -> Any:
            answer = dynamodb.batch_get_item(**request)
            while faster:
                list(other.write([other.prepare(faster.pop())]))
            return answer

        def transact_write_items(self, **request: Any) -> Any:
            return dynamodb.transact_write_items(**request)

    writer = ViewWriter(view, target="totals", marks="marks", client=Late())
    apply(change(2, customer="a", total=3), by=writer)

    assert [(row["customer"], row["orders"], row["total"]) for row in dynamodb.items("totals")] == [
        ("b", 2 if is_known else 1, 5)
    ]


def test_a_full_transaction_that_a_faster_writer_makes_too_large_is_cut(
    change: Any, view: View, apply: Any
) -> None:
    # 99 marks and one group fill it; then ten of the items turn out to be in groups of their own.
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)})
    other = ViewWriter(view, target="totals", marks="marks", client=dynamodb)
    faster = [[change(1, f"o-{n}", customer=f"b-{n}", total=1) for n in range(10)]]

    class Late:
        transact_write_items = staticmethod(dynamodb.transact_write_items)

        def batch_get_item(self, **request: Any) -> Any:
            answer = dynamodb.batch_get_item(**request)
            while faster:
                apply(*faster.pop(), by=other)
            return answer

    writer = ViewWriter(view, target="totals", marks="marks", client=Late())
    apply(*(change(2, f"o-{n}", customer="a", total=1) for n in range(99)), by=writer)

    assert [(row["customer"], row["orders"]) for row in dynamodb.items("totals")] == [("a", 99)]


def test_a_group_whose_last_items_leave_while_another_comes_stays(
    change: Any, view: View, apply: Any
) -> None:
    dynamodb = FakeDynamoDB({"totals": ("customer",), "marks": ("item",)})
    other = ViewWriter(view, target="totals", marks="marks", client=dynamodb)
    tries: list[str] = []

    class Racing:
        def batch_get_item(self, **request: Any) -> Any:
            return dynamodb.batch_get_item(**request)

        def transact_write_items(self, **request: Any) -> Any:
            kinds = "".join(next(iter(each))[0] for each in request["TransactItems"])
            tries.append(kinds)
            if kinds == "PD":
                # The group was found empty; now it gets an item before it is deleted.
                apply(change(9, "o-2", customer="a", total=4), by=other)
            return dynamodb.transact_write_items(**request)

    apply(change(1, "o-1", customer="a", total=3), by=other)
    writer = ViewWriter(view, target="totals", marks="marks", client=Racing())
    apply(change(2, "o-1"), by=writer)

    assert tries == ["PU", "PD", "PU"]
    assert [(row["customer"], row["total"]) for row in dynamodb.items("totals")] == [("a", 4)]


def test_a_target_that_something_else_has_written_is_named(
    change: Any, apply: Any, dynamodb: FakeDynamoDB
) -> None:
    apply(change(1, customer="a", total=3))
    dynamodb.write("totals", {"customer": "a", "_view_items": 7, "orders": 0, "total": 0})
    dynamodb.transact_write_items(
        TransactItems=[{"Delete": {"TableName": "totals", "Key": {"customer": {"S": "a"}}}}]
    )

    with pytest.raises(ViewError, match="the items of 'totals' are not what the marks in 'marks'"):
        apply(change(2))


def test_a_sum_that_dynamodb_cannot_hold_fails_and_changes_nothing(
    change: Any, apply: Any, totals: Any
) -> None:
    large = Decimal(99999999999999999999999999999999999999)
    apply(change(1, "o-1", customer="a", total=large))

    with pytest.raises(ViewError, match="precision up to 38 digits"):
        apply(change(2, "o-2", customer="a", total=Decimal("0.5")))
    assert totals() == {"a": (1, large)}


def test_a_target_with_another_key_is_named(change: Any, view: View, apply: Any) -> None:
    dynamodb = FakeDynamoDB({"totals": ("id",), "marks": ("item",)})
    writer = ViewWriter(view, target="totals", marks="marks", client=dynamodb)

    with pytest.raises(ViewError, match=r"refuses the view's item in 'totals', whose key is 'cust"):
        apply(change(1, customer="a", total=3), by=writer)


def test_a_view_of_other_measures_does_not_touch_the_target(
    change: Any, apply: Any, dynamodb: FakeDynamoDB, totals: Any
) -> None:
    apply(change(1, customer="a", total=3))
    other = View(group_by="customer", orders=Count(), total=Sum("total"), taxed=Sum("tax"))
    writer = ViewWriter(other, target="totals", marks="marks", client=dynamodb)

    with pytest.raises(ViewError, match=r"kept by a view with the measures .*rebuild="):
        apply(change(2, customer="a", total=4), by=writer)
    assert totals() == {"a": (1, 3)}


def test_a_stream_without_new_images_says_which_setting_to_change(
    writer: ViewWriter, make_record: Any
) -> None:
    record = make_record(1)
    del record["dynamodb"]["NewImage"]
    record["dynamodb"]["StreamViewType"] = "KEYS_ONLY"

    with pytest.raises(MissingImageError, match="set stream_view_type=NEW_IMAGE on the table"):
        writer.prepare(parse({"Records": [record]})[0])


def test_target_and_marks_are_two_tables(view: View) -> None:
    with pytest.raises(ViewError, match="target and marks must be two tables"):
        ViewWriter(view, target="totals", marks="totals")
