"""A change: what it says about itself, and which images it has."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol

import pytest

from lambda_runtime import (
    ABSENT,
    EventError,
    Insert,
    MissingImageError,
    Modify,
    Remove,
    Source,
    UserIdentity,
    parse,
)

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-09-17T14:11:11.040"
EXPIRY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class MakeRecord(Protocol):
    def __call__(self, event_name: str = "MODIFY", **stream: Any) -> dict[str, Any]: ...


@pytest.fixture
def record() -> MakeRecord:
    """Make a record; keyword arguments replace members of its `dynamodb`, None leaves one out."""
    return _record


def _record(event_name: str = "MODIFY", **stream: Any) -> dict[str, Any]:
    images = {
        "NewImage": {"pk": {"S": "ORDER#1"}, "status": {"S": "PAID"}, "total": {"N": "12.50"}},
        "OldImage": {"pk": {"S": "ORDER#1"}, "status": {"S": "NEW"}, "total": {"N": "12.50"}},
    }
    absent = {"INSERT": "OldImage", "REMOVE": "NewImage"}.get(event_name)
    content = {
        "ApproximateCreationDateTime": 1789654328.25,
        "Keys": {"pk": {"S": "ORDER#1"}},
        **{name: image for name, image in images.items() if name != absent},
        "SequenceNumber": "3800002862244222465263",
        "SizeBytes": 61,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        **stream,
    }
    return {
        "eventID": "a2b322a23f4eff060cbfb1ce52f4447d",
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {name: value for name, value in content.items() if value is not None},
        "eventSourceARN": ARN,
    }


def change_of(record: dict[str, Any]) -> Insert | Modify | Remove:
    (change,) = parse({"Records": [record]})
    return change


def modified(old: dict[str, Any], new: dict[str, Any], record: MakeRecord) -> Modify:
    change = change_of(record("MODIFY", OldImage=old, NewImage=new))
    assert isinstance(change, Modify)
    return change


def test_a_change_says_what_its_record_says(record: MakeRecord) -> None:
    change = change_of(record())

    assert change.event_id == "a2b322a23f4eff060cbfb1ce52f4447d"
    assert change.sequence_number == "3800002862244222465263"
    assert change.view_type == "NEW_AND_OLD_IMAGES"
    assert change.size_bytes == 61
    assert change.keys == {"pk": "ORDER#1"}
    assert change.new["total"] == Decimal("12.50")
    assert change.old["status"] == "NEW"
    assert change.user_identity is None
    assert change.source == Source(
        arn=ARN,
        region="eu-west-1",
        account="123456789012",
        table="Orders",
        label="2026-09-17T14:11:11.040",
    )


def test_a_source_is_taken_apart_in_every_partition(record: MakeRecord) -> None:
    arn = "arn:aws-us-gov:dynamodb:us-gov-west-1:000000000000:table/a.b-c_d/stream/2026-01-01T00:00"
    source = change_of(record() | {"eventSourceARN": arn}).source

    assert (source.region, source.account) == ("us-gov-west-1", "000000000000")
    assert (source.table, source.label) == ("a.b-c_d", "2026-01-01T00:00")
    assert source.table_name == source.table


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (1789654328, datetime(2026, 9, 17, 14, 12, 8, tzinfo=UTC)),
        (1789654328.0, datetime(2026, 9, 17, 14, 12, 8, tzinfo=UTC)),
        (1789654328.125, datetime(2026, 9, 17, 14, 12, 8, 125000, tzinfo=UTC)),
        (1.78965166e9, datetime(2026, 9, 17, 13, 27, 40, tzinfo=UTC)),
        (1789654328125, datetime(2026, 9, 17, 14, 12, 8, 125000, tzinfo=UTC)),
        (1789654328125006, datetime(2026, 9, 17, 14, 12, 8, 125006, tzinfo=UTC)),
        ("2026-09-17T14:12:08Z", datetime(2026, 9, 17, 14, 12, 8, tzinfo=UTC)),
        ("2026-09-17T16:12:08.125+02:00", datetime(2026, 9, 17, 14, 12, 8, 125000, tzinfo=UTC)),
        ("2026-09-17 14:12:08", datetime(2026, 9, 17, 14, 12, 8, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (
            datetime(2026, 9, 17, 16, 12, 8, 5, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 9, 17, 14, 12, 8, 5, tzinfo=UTC),
        ),
    ],
)
def test_created_at_is_utc_and_keeps_its_fraction(
    sent: object, expected: datetime, record: MakeRecord
) -> None:
    created_at = change_of(record(ApproximateCreationDateTime=sent)).created_at

    assert created_at == expected
    assert created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        True,
        "1789654328",
        "yesterday",
        "",
        [],
        float("nan"),
        float("inf"),
        -1e300,
        10**400,
        -(10**9) * 10**9,
    ],
)
def test_a_time_that_is_none_fails_only_who_reads_it(sent: object, record: MakeRecord) -> None:
    change = change_of(record(ApproximateCreationDateTime=sent))

    with pytest.raises(EventError, match=r"^\$\.Records\[0\]\.dynamodb\.Approx.*epoch seconds"):
        _ = change.created_at


def test_an_unknown_size_is_0(record: MakeRecord) -> None:
    assert change_of(record(SizeBytes=None)).size_bytes == 0


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("61", "a str"),
        ("", "empty text"),
        (-1, "a negative number"),
        (True, "a bool"),
        (1.5, "a float"),
    ],
)
def test_a_size_that_is_none_is_refused(sent: object, shown: str, record: MakeRecord) -> None:
    with pytest.raises(EventError, match=rf"SizeBytes: got {shown}, expected a number of bytes"):
        _ = change_of(record(SizeBytes=sent)).size_bytes


def test_empty_text_is_named_as_that(record: MakeRecord) -> None:
    with pytest.raises(EventError, match="SequenceNumber: got empty text, expected text"):
        _ = change_of(record(SequenceNumber="")).sequence_number


def test_what_a_record_lacks_fails_only_who_reads_it(record: MakeRecord) -> None:
    bare = {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {}}
    change = change_of(bare)

    for name, place in {
        "event_id": "eventID",
        "sequence_number": "dynamodb.SequenceNumber",
        "view_type": "dynamodb.StreamViewType",
        "source": "eventSourceARN",
        "keys": "dynamodb.Keys",
    }.items():
        with pytest.raises(EventError) as caught:
            getattr(change, name)
        assert caught.value.path == f"$.Records[0].{place}"
    assert repr(change) == "Modify(sequence_number=None, keys=())"
    assert change == change_of(bare) != change_of(record())


@pytest.mark.parametrize(
    ("event_name", "side", "view_type", "message"),
    [
        (
            "MODIFY",
            "new",
            "KEYS_ONLY",
            ("KEYS_ONLY", "a Modify", "NEW_IMAGE"),
        ),
        (
            "MODIFY",
            "old",
            "KEYS_ONLY",
            ("KEYS_ONLY", "a Modify", "OLD_IMAGE"),
        ),
        (
            "INSERT",
            "new",
            "OLD_IMAGE",
            ("OLD_IMAGE", "an Insert", "NEW_AND_OLD_IMAGES"),
        ),
        (
            "REMOVE",
            "old",
            "NEW_IMAGE",
            ("NEW_IMAGE", "a Remove", "NEW_AND_OLD_IMAGES"),
        ),
        (
            "INSERT",
            "old",
            "NEW_AND_OLD_IMAGES",
            "an Insert has no old image: the item was not there before",
        ),
        ("REMOVE", "new", "KEYS_ONLY", "a Remove has no new image: the item is gone"),
        (
            "MODIFY",
            "new",
            "NEW_IMAGE",
            "this record has no NewImage, although its StreamViewType is 'NEW_IMAGE'",
        ),
        ("MODIFY", "new", None, "this record has neither a NewImage nor a StreamViewType"),
    ],
)
def test_an_absent_image_is_an_error_that_names_the_setting(
    event_name: str,
    side: str,
    view_type: str | None,
    message: str | tuple[str, str, str],
    record: MakeRecord,
) -> None:
    change = change_of(record(event_name, StreamViewType=view_type, NewImage=None, OldImage=None))
    if isinstance(message, tuple):
        carried, change_name, needed = message
        message = (
            f"this stream carries {carried} records, so {change_name} has no {side} image; "
            f"set stream_view_type={needed} on the table"
        )

    with pytest.raises(MissingImageError) as caught:
        getattr(change, side)

    assert str(caught.value) == message
    assert not getattr(change, f"has_{side}")


def test_an_empty_image_is_not_an_absent_one(record: MakeRecord) -> None:
    change = change_of(record(NewImage={}))

    assert change.has_new
    assert change.new == {}


@pytest.mark.parametrize(
    ("event_name", "image", "side"), [("REMOVE", "NewImage", "new"), ("INSERT", "OldImage", "old")]
)
def test_an_empty_image_of_a_side_that_a_change_never_has_is_no_image(
    event_name: str, image: str, side: str, record: MakeRecord
) -> None:
    change = change_of(record(event_name, **{image: {}}))

    assert not getattr(change, f"has_{side}")
    with pytest.raises(MissingImageError, match=f"has no {side} image"):
        getattr(change, side)


def test_an_image_that_is_no_object_is_refused(record: MakeRecord) -> None:
    with pytest.raises(EventError, match="NewImage: got a list, expected an object of typed"):
        _ = change_of(record(NewImage=[])).new


def test_an_attribute_error_carries_the_whole_path(record: MakeRecord) -> None:
    bad = record(NewImage={"items": {"L": [{"S": "a"}, {"X": "b"}]}})
    changes = parse({"Records": [record(), record(), record(), bad]})

    with pytest.raises(ValueError, match="unknown attribute type 'X'") as caught:
        _ = changes[3].new["items"]

    assert str(caught.value) == (
        "$.Records[3].dynamodb.NewImage.items[1]: unknown attribute type 'X', "
        "expected one of S N B SS NS BS M L BOOL NULL"
    )


@pytest.mark.parametrize("image", ["keys", "new", "old"])
def test_an_image_is_built_once(image: str, record: MakeRecord) -> None:
    change = change_of(record())

    assert getattr(change, image) is getattr(change, image)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"S": "a"}, {"S": "a"}, False),
        ({"S": "a"}, {"S": "b"}, True),
        ({"S": "1"}, {"N": "1"}, True),
        ({"N": "1"}, {"N": "1.0"}, False),
        ({"N": "100"}, {"N": "1E+2"}, False),
        ({"N": "1"}, {"N": "1.00000000000000000000000000000000001"}, True),
        ({"N": "1"}, {"BOOL": True}, True),
        ({"N": "0"}, {"BOOL": False}, True),
        ({"NULL": True}, {"S": ""}, True),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}, False),
        ({"SS": ["a"]}, {"L": [{"S": "a"}]}, True),
        ({"NS": ["1", "2"]}, {"NS": ["2.0", "1.0"]}, False),
        ({"NS": ["1"]}, {"NS": ["1", "2"]}, True),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}, True),
        ({"L": [{"N": "1"}]}, {"L": [{"BOOL": True}]}, True),
        ({"L": [{"N": "1"}]}, {"L": [{"N": "1.0"}]}, False),
        ({"L": [{"N": "1"}]}, {"L": [{"N": "1"}, {"N": "1"}]}, True),
        (
            {"M": {"a": {"N": "1"}, "b": {"S": "x"}}},
            {"M": {"b": {"S": "x"}, "a": {"N": "1.0"}}},
            False,
        ),
        ({"M": {"a": {"N": "1"}}}, {"M": {"b": {"N": "1"}}}, True),
        ({"M": {"a": {"N": "1"}}}, {"M": {"a": {"BOOL": True}}}, True),
        ({"B": "aGk="}, {"B": b"hi"}, False),
        ({"BS": ["aGk=", "YQ=="]}, {"BS": [b"a", b"hi"]}, False),
        (None, {"NULL": True}, True),
        ({"NULL": True}, None, True),
    ],
)
@pytest.mark.parametrize("numbers", ["decimal", "int", "float"])
def test_changed_compares_what_values_mean_to_dynamodb(
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    changed: bool,
    numbers: Any,
    record: MakeRecord,
) -> None:
    old = {"a": before} if before else {}
    new = {"a": after} if after else {}
    for one, two in ((old, new), (new, old)):
        event = {"Records": [record("MODIFY", OldImage=one, NewImage=two)]}
        (change,) = parse(event, numbers=numbers)
        assert isinstance(change, Modify)

        assert change.changed("a") is changed
        assert change.changed() is changed
        assert bool(change.changes()) is changed


def test_changed_is_true_when_any_of_the_names_changed(record: MakeRecord) -> None:
    change = modified(
        {"a": {"S": "1"}, "b": {"S": "1"}}, {"a": {"S": "1"}, "b": {"S": "2"}}, record
    )

    assert change.changed("a", "b")
    assert not change.changed("a")
    assert not change.changed("a", "no such attribute")


def test_changed_looks_into_maps_along_a_path(record: MakeRecord) -> None:
    old = {"address": {"M": {"city": {"S": "Bonn"}, "zip": {"S": "1"}}}, "tags": {"S": "x"}}
    new = {"address": {"M": {"city": {"S": "Ulm"}, "zip": {"S": "1"}}}, "tags": {"S": "x"}}
    change = modified(old, new, record)

    assert change.changed(("address", "city"))
    assert not change.changed(("address", "zip"))
    assert not change.changed(("address", "country"), ("tags", "first"), "status")
    assert modified({}, new, record).changed(("address", "city"))


def test_a_dotted_name_of_a_map_is_refused_with_the_path_to_write(record: MakeRecord) -> None:
    old = {"address": {"M": {"city": {"S": "Bonn"}}}, "a.b": {"S": "1"}}
    change = modified(old, {**old, "a.b": {"S": "2"}}, record)

    assert change.changed("a.b")
    assert not change.changed("no.map")
    with pytest.raises(
        ValueError, match=r"no attribute 'address.city'; write \('address', 'city'\)"
    ):
        change.changed("address.city")


def test_changes_gives_both_sides_and_absent_for_none(record: MakeRecord) -> None:
    change = modified(
        {"kept": {"S": "x"}, "set": {"N": "1"}, "dropped": {"NULL": True}},
        {"kept": {"S": "x"}, "set": {"N": "2"}, "added": {"L": []}},
        record,
    )

    assert change.changes() == {
        "set": (Decimal(1), Decimal(2)),
        "dropped": (None, ABSENT),
        "added": (ABSENT, []),
    }


def test_changes_needs_both_images(record: MakeRecord) -> None:
    change = change_of(record(OldImage=None, StreamViewType="NEW_IMAGE"))
    assert isinstance(change, Modify)

    for read in (change.changes, change.changed, lambda: change.changed("status")):
        with pytest.raises(MissingImageError, match="stream_view_type=NEW_AND_OLD_IMAGES"):
            read()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ({"N": "1"}, {"N": "x"}, "NewImage.a: N holds text of 1 characters"),
        ({"SS": []}, {"SS": ["a"]}, "OldImage.a: SS is empty"),
        (
            {"M": {"b": {"L": [{"N": "1"}]}}},
            {"M": {"b": {"L": [{"N": "-"}]}}},
            "NewImage.a.b[0]: N holds text of 1 char",
        ),
        ({}, {"S": "a"}, "OldImage.a: got 0 attribute types"),
        ("text", {"S": "a"}, "OldImage.a: got a str"),
        ({"NULL": True}, 5, "NewImage.a: got an int"),
    ],
)
def test_values_that_cannot_be_compared_are_told_as_decoding_tells_them(
    old: Any, new: Any, message: str, record: MakeRecord
) -> None:
    change = modified({"a": old}, {"a": new}, record)

    for compare in (change.changes, change.changed, lambda: change.changed("a")):
        with pytest.raises(ValueError, match=re.escape(message)):
            compare()


def test_a_difference_is_found_without_decoding(record: MakeRecord) -> None:
    change = modified({"a": {"S": "x"}}, {"a": {"unknown": "y"}}, record)

    assert change.changed("a")
    with pytest.raises(ValueError, match=r"NewImage\.a: unknown attribute type 'unknown'"):
        change.changes()


@pytest.mark.parametrize(
    ("identity", "expired"),
    [
        (None, False),
        (EXPIRY, True),
        ({"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}, True),
        ({"type": "Service", "principalId": "replication.dynamodb.amazonaws.com"}, False),
        ({"type": "User", "principalId": "dynamodb.amazonaws.com"}, False),
    ],
)
def test_only_time_to_live_expires_an_item(
    identity: dict[str, str] | None, expired: bool, record: MakeRecord
) -> None:
    change = change_of(record("REMOVE") | {"userIdentity": identity})
    assert isinstance(change, Remove)

    assert change.expired is expired


def test_an_empty_identity_is_none(record: MakeRecord) -> None:
    assert change_of({**record("REMOVE"), "userIdentity": {}}).user_identity is None


def test_the_identity_of_an_expiry_is_dynamodb(record: MakeRecord) -> None:
    change = change_of(record("REMOVE") | {"userIdentity": EXPIRY})

    assert change.user_identity == UserIdentity("Service", "dynamodb.amazonaws.com")
    with pytest.raises(EventError, match="userIdentity: got a str, expected an object"):
        _ = change_of(record() | {"userIdentity": "root"}).user_identity


def test_changes_are_values_that_can_be_compared_copied_and_pickled(record: MakeRecord) -> None:
    for name in ("INSERT", "MODIFY", "REMOVE"):
        change = change_of(record(name))
        twin = change_of(record(name))
        _ = change.keys["pk"]

        assert change == twin
        assert len({change, twin}) == 1
        assert pickle.loads(pickle.dumps(change)) == change  # noqa: S301 - our own bytes
        assert copy.deepcopy(change) == copy.copy(change) == change
        assert change != change_of(record(name, SequenceNumber="1"))
    assert change_of(record("INSERT")) != change_of(record("MODIFY"))
    assert change_of(record()) != "a change"


def test_a_change_is_read_only(record: MakeRecord) -> None:
    change = change_of(record())

    for name in ("keys", "new", "old", "event_id", "created_at", "anything"):
        with pytest.raises(AttributeError):
            setattr(change, name, None)


def test_a_repr_shows_names_and_no_values(record: MakeRecord) -> None:
    change = change_of(record())

    assert repr(change) == "Modify(sequence_number='3800002862244222465263', keys=(pk))"
    assert repr(change.source).startswith("Source('arn:aws:dynamodb:eu-west-1:")
    assert repr(UserIdentity("a", "b")) == "UserIdentity('a', 'b')"


def test_absent_is_one_false_value_also_after_pickling() -> None:
    assert not ABSENT
    assert repr(ABSENT) == "ABSENT"
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT  # noqa: S301 - our own bytes
    assert copy.deepcopy(ABSENT) is ABSENT
    assert ABSENT != None  # noqa: E711 - that is the rule


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"])
def test_comparing_names_the_one_setting_that_carries_both_images(view_type: str) -> None:
    stream = {"StreamViewType": view_type, "Keys": {"pk": {"S": "a"}}}
    (change,) = parse({"Records": [{"eventName": "MODIFY", "dynamodb": stream}]})
    assert isinstance(change, Modify)
    for compare in (change.changed, change.changes):
        with pytest.raises(MissingImageError, match="stream_view_type=NEW_AND_OLD_IMAGES on"):
            compare()
