from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_streams.live._streams_api import list_shards, read_error


class Pages:
    """Answers DescribeStream with one page after another."""

    def __init__(self, *pages: tuple[list[str], str | None]) -> None:
        self.pages = list(pages)
        self.asked: list[str | None] = []

    def describe_stream(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked.get("ExclusiveStartShardId"))
        shards, last = self.pages.pop(0)
        described: dict[str, Any] = {"Shards": [{"ShardId": each} for each in shards]}
        return {"StreamDescription": described | ({"LastEvaluatedShardId": last} if last else {})}


def test_every_page_is_asked_for_also_behind_an_empty_one() -> None:
    api: Any = Pages((["a", "b"], "b"), ([], "c"), (["d"], None))
    assert [each.id for each in list_shards(api, "stream")] == ["a", "b", "d"]
    assert api.asked == [None, "b", "c"]


def test_a_page_that_leads_to_itself_is_the_last() -> None:
    api: Any = Pages((["a"], "a"), ([], "a"))
    assert [each.id for each in list_shards(api, "stream")] == ["a"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredIteratorException", "expired"),
        ("TrimmedDataAccessException", "trimmed"),
        ("ResourceNotFoundException", "gone"),
        ("ThrottlingException", "later"),
    ],
)
def test_a_failed_request_says_its_error_also_without_a_message(code: str, kind: str) -> None:
    found = read_error(ClientError({"Error": {"Code": code, "Message": ""}}, "GetRecords"))
    assert (found.kind, found.text) == (kind, f"{code}: ")
