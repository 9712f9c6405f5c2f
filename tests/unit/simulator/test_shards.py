from __future__ import annotations

import re
from itertools import pairwise

import pytest

from cdk_streams.simulator._dynamodb.resharding import change_shards, describe_change
from cdk_streams.simulator._dynamodb.shards import Shards, place_of
from cdk_streams.simulator._engine.rng import Rng

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/label"
PLACES = [place_of(str(number)) for number in range(500)]


def test_every_place_has_exactly_one_open_shard() -> None:
    shards = Shards(ARN, 3)

    for place in (0, 2**64 - 1, *PLACES):
        assert [each for each in shards.open if each.low <= place < each.high] == [shards.of(place)]


def test_a_key_has_the_same_place_in_every_process() -> None:
    assert place_of('{"S": "ORDER#1"}') == 15218351024972643009


def test_items_spread_over_the_shards() -> None:
    shards = Shards(ARN, 4)
    counts = dict.fromkeys(shards.open, 0)
    for place in PLACES:
        counts[shards.of(place)] += 1

    assert min(counts.values()) > len(PLACES) / 8


def test_a_split_closes_the_parent_and_shares_its_places() -> None:
    shards = Shards(ARN, 1)
    (parent,) = shards.open

    left, right = shards.split(parent, at_s=5)

    assert shards.open == [left, right]
    assert (left.low, left.high, right.high) == (parent.low, right.low, parent.high)
    assert left.parents == right.parents == (parent.shard_id,)


def test_a_merge_continues_two_neighbours() -> None:
    shards = Shards(ARN, 2)
    left, right = shards.open

    (child,) = shards.merge(left, right, at_s=5)

    assert shards.open == [child]
    assert (child.low, child.high) == (left.low, right.high)
    assert child.parents == (left.shard_id, right.shard_id)
    assert describe_change((child,)) == (
        f"{left.shard_id[-8:]} and {right.shard_id[-8:]} → {child.shard_id[-8:]}"
    )


def test_only_neighbours_merge() -> None:
    shards = Shards(ARN, 3)
    first, _, last = shards.open

    with pytest.raises(ValueError, match="pass neighbours, the lower one first"):
        shards.merge(first, last, at_s=0)


def test_drawn_changes_never_leave_a_gap() -> None:
    shards, rng = Shards(ARN, 2), Rng(3, "shards")
    for second in range(200):
        change_shards(shards, rng, at_s=second)
        edges = sorted((each.low, each.high) for each in shards.open)
        assert edges[0][0] == 0
        assert edges[-1][1] == 2**64
        assert all(one[1] == other[0] for one, other in pairwise(edges))
        assert 1 <= len(edges) <= 8


def test_ids_look_like_those_of_dynamodb_and_are_never_used_twice() -> None:
    shards, rng = Shards(ARN, 2), Rng(3, "shards")
    for _ in range(50):
        change_shards(shards, rng, at_s=0)
    ids = [each.shard_id for each in shards.all]

    assert all(re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8}", each) for each in ids)
    assert len(set(ids)) == len(ids)
