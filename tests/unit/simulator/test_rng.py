from __future__ import annotations

import pytest

from cdk_streams.simulator._engine.rng import Draws


def test_the_same_seed_draws_the_same_on_every_python() -> None:
    draws = Draws(7, "calls")

    # Written down once: a change here would break every seed that somebody has noted.
    assert [draws.integer(0, 999) for _ in range(6)] == [230, 536, 785, 831, 76, 543]


def test_one_purpose_draws_apart_from_another() -> None:
    def drawn(seed: int, purpose: str) -> list[float]:
        draws = Draws(seed, purpose)
        return [draws.between(0, 1) for _ in range(4)]

    assert drawn(7, "calls") == drawn(7, "calls")
    assert drawn(7, "calls") != drawn(7, "shards")
    assert drawn(7, "calls") != drawn(8, "calls")


def test_a_whole_number_is_within_its_bounds_and_reaches_both() -> None:
    draws = Draws(1, "bounds")

    assert {draws.integer(3, 5) for _ in range(200)} == {3, 4, 5}


@pytest.mark.parametrize(("probability", "expected"), [(0, {False}), (1, {True})])
def test_chance_is_never_at_0_and_always_at_1(probability: float, expected: set[bool]) -> None:
    draws = Draws(1, "chance")

    assert {draws.chance(probability) for _ in range(200)} == expected


def test_a_chance_draws_once_whatever_it_says() -> None:
    one, other = Draws(1, "even"), Draws(1, "even")
    one.chance(0)
    other.chance(1)

    assert one.between(0, 1) == other.between(0, 1)


def test_shuffling_keeps_every_item() -> None:
    items = list(range(50))
    Draws(1, "cards").shuffle(items)

    assert items != sorted(items)
    assert sorted(items) == list(range(50))


def test_every_option_can_be_chosen() -> None:
    draws = Draws(1, "options")

    assert {draws.choice("abc") for _ in range(100)} == {"a", "b", "c"}
