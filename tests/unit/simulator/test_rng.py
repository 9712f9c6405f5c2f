from __future__ import annotations

import pytest

from cdk_streams.simulator._engine.rng import Rng


def test_the_same_seed_draws_the_same_on_every_python() -> None:
    rng = Rng(7, "calls")

    # Written down once: a change here would break every seed that somebody has noted.
    assert [rng.integer(0, 999) for _ in range(6)] == [230, 536, 785, 831, 76, 543]


def test_one_purpose_draws_apart_from_another() -> None:
    def drawn(seed: int, purpose: str) -> list[float]:
        rng = Rng(seed, purpose)
        return [rng.between(0, 1) for _ in range(4)]

    assert drawn(7, "calls") == drawn(7, "calls")
    assert drawn(7, "calls") != drawn(7, "shards")
    assert drawn(7, "calls") != drawn(8, "calls")


def test_a_whole_number_is_within_its_bounds_and_reaches_both() -> None:
    rng = Rng(1, "bounds")

    assert {rng.integer(3, 5) for _ in range(200)} == {3, 4, 5}


@pytest.mark.parametrize(("probability", "expected"), [(0, {False}), (1, {True})])
def test_chance_is_never_at_0_and_always_at_1(probability: float, expected: set[bool]) -> None:
    rng = Rng(1, "chance")

    assert {rng.chance(probability) for _ in range(200)} == expected


def test_a_chance_draws_once_whatever_it_says() -> None:
    one, other = Rng(1, "even"), Rng(1, "even")
    one.chance(0)
    other.chance(1)

    assert one.between(0, 1) == other.between(0, 1)


def test_shuffling_keeps_every_item() -> None:
    items = list(range(50))
    Rng(1, "cards").shuffle(items)

    assert items != sorted(items)
    assert sorted(items) == list(range(50))


def test_every_option_can_be_chosen() -> None:
    rng = Rng(1, "options")

    assert {rng.choice("abc") for _ in range(100)} == {"a", "b", "c"}
