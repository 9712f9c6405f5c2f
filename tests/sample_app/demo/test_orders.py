from collections import Counter
from itertools import pairwise

from sample_app.demo.orders import Day, histories_of, item_of, plan_day, stock_after, units


def _day() -> Day:
    return plan_day(orders=300, seed=7)


def test_the_same_seed_is_the_same_day() -> None:
    assert plan_day(orders=50, seed=3) == plan_day(orders=50, seed=3)
    assert plan_day(orders=50, seed=3) != plan_day(orders=50, seed=4)


def test_a_day_has_orders_that_change_and_orders_that_are_cancelled() -> None:
    actions = Counter(write.action for write in _day().writes)
    assert actions["place"] == 300
    assert 60 < actions["change"] < 120
    assert 50 < actions["cancel"] < 100


def test_the_writes_of_different_orders_are_mixed() -> None:
    ids = [write.order.order_id for write in _day().writes]
    assert ids != sorted(ids)


def test_an_order_is_placed_first_and_cancelled_last() -> None:
    actions: dict[str, list[str]] = {}
    for write in _day().writes:
        actions.setdefault(write.order.order_id, []).append(write.action)
    allowed = [["place"], ["place", "change"], ["place", "cancel"], ["place", "change", "cancel"]]
    assert all(one in allowed for one in actions.values())


def test_no_write_leaves_an_order_as_it_was() -> None:
    for history in histories_of(_day()).values():
        assert all(before != after for before, after in pairwise(history))


def test_stock_is_what_was_there_less_what_was_sold() -> None:
    day = _day()
    before, after = dict(day.stock), stock_after(day)
    assert before.keys() == after.keys()
    assert sum(before.values()) - sum(after.values()) == units(day, "place") - units(day, "cancel")


def test_no_article_runs_out_whatever_the_order_of_delivery() -> None:
    day = _day()
    assert units(day, "place") < min(dict(day.stock).values())


def test_an_order_is_in_the_table_as_its_customer_meant_it() -> None:
    order = _day().writes[0].order
    item = item_of(order)
    assert item["status"] == "PLACED"
    assert [(line["sku"], line["quantity"]) for line in item["lines"]] == list(order.lines)
