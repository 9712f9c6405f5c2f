"""A proxy that presents a real single-shard stream as one with several shards.

    shards = {PARENT: ProxiedShard((1, 2)), LEFT: ProxiedShard((3, 5), PARENT), …}
    with ShardingProxy(endpoint_url, shards=shards) as proxy:
        boto3.client("dynamodbstreams", endpoint_url=proxy.endpoint_url, …)

No endpoint on a machine can be made to split a shard, and DynamoDB Local knows the minute of a
record only. Records, requests and errors are real; shard ids, iterators, the pages of
DescribeStream and, where asked for, creation times are the proxy's.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Self
from urllib.parse import urlsplit

from tests.bench.loopback_proxy import LoopbackProxy, Reply, Request, forward

__all__ = ["ProxiedShard", "ShardingProxy"]

_OLDEST = -1
_SHARDS_A_PAGE = 2


@dataclass(frozen=True, slots=True)
class ProxiedShard:
    """The records of a shard, by their places in the real one, from 1 and ascending.

    A shard with children is closed when its last record is written. From then on its children are
    described; a shard without any stays open.
    """

    places: Sequence[int] = range(1, sys.maxsize)
    parent: str | None = None


class _RefusedError(Exception):
    """The real endpoint answered with an error, which is passed on as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class ShardingProxy:
    """Answers for the one stream that is asked for; `shards` None: with the one shard that it has.

    `made_s` has the creation time of a place, in epoch seconds; the others keep their own.
    DescribeStream answers with two shards at a time, so that whoever reads one page misses some.
    """

    def __init__(
        self,
        target: str,
        *,
        shards: Mapping[str, ProxiedShard] | None = None,
        made_s: Mapping[int, float] | None = None,
    ) -> None:
        self._target = urlsplit(target).netloc
        self._shards = dict(shards or {})
        self._made_s = dict(made_s or {})
        self._proxy = LoopbackProxy(self._answer)
        self._lock = threading.Lock()
        # What the real shard has held so far, oldest first, and where it is read on.
        self._records: list[dict[str, Any]] = []
        self._iterator: str | None = None

    @property
    def endpoint_url(self) -> str:
        """Return where it listens."""
        return self._proxy.endpoint_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.close()

    def _answer(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        operation = {
            "DescribeStream": self._describe,
            "GetShardIterator": self._begin,
            "GetRecords": self._read,
        }[request.operation]
        try:
            with self._lock:
                return Reply(200, json.dumps(operation(request, asked)).encode())
        except _RefusedError as refused:
            return refused.reply

    def _describe(self, request: Request, asked: dict[str, Any]) -> Any:
        described = self._catch_up(request, asked["StreamArn"])
        names = [name for name, shard in self._shards.items() if self._is_begun(shard)]
        start = asked.get("ExclusiveStartShardId")
        first = names.index(start) + 1 if start else 0
        page = names[first : first + _SHARDS_A_PAGE]
        described["Shards"] = [self._described(name) for name in page]
        described.pop("LastEvaluatedShardId", None)
        if first + _SHARDS_A_PAGE < len(names):
            described["LastEvaluatedShardId"] = page[-1]
        return {"StreamDescription": described}

    def _begin(self, request: Request, asked: dict[str, Any]) -> Any:
        self._catch_up(request, asked["StreamArn"])
        match asked["ShardIteratorType"]:
            case "TRIM_HORIZON":
                behind = _OLDEST
            case "LATEST":
                behind = _number(self._records[-1]) if self._records else _OLDEST
            case kind:
                behind = int(asked["SequenceNumber"]) - (kind == "AT_SEQUENCE_NUMBER")
        return {"ShardIterator": f"{asked['StreamArn']}|{asked['ShardId']}|{behind}"}

    def _read(self, request: Request, asked: dict[str, Any]) -> Any:
        stream_arn, name, behind = asked["ShardIterator"].rsplit("|", 2)
        self._catch_up(request, stream_arn)
        waiting = [each for each in self._held(name) if _number(each) > int(behind)]
        page = waiting[: asked.get("Limit", 1000)]
        answer: dict[str, Any] = {"Records": page}
        if not self._is_closed(name) or len(page) < len(waiting):
            last = _number(page[-1]) if page else int(behind)
            answer["NextShardIterator"] = f"{stream_arn}|{name}|{last}"
        return answer

    def _catch_up(self, request: Request, stream_arn: str) -> Any:
        """Read what was written since the last time; return the real description."""
        answer = self._ask(request, "DescribeStream", {"StreamArn": stream_arn})
        described = answer["StreamDescription"]
        (shard,) = described["Shards"]
        if not self._shards:
            self._shards[shard["ShardId"]] = ProxiedShard()
        if self._iterator is None:
            begin = {"StreamArn": stream_arn, "ShardId": shard["ShardId"]}
            begin["ShardIteratorType"] = "TRIM_HORIZON"
            self._iterator = self._ask(request, "GetShardIterator", begin)["ShardIterator"]
        while (answer := self._ask(request, "GetRecords", {"ShardIterator": self._iterator}))[
            "Records"
        ]:
            for record in answer["Records"]:
                self._take(record)
            self._iterator = answer["NextShardIterator"]
        return described

    def _take(self, record: dict[str, Any]) -> None:
        self._records.append(record)
        if (made_s := self._made_s.get(len(self._records))) is not None:
            record["dynamodb"]["ApproximateCreationDateTime"] = made_s

    def _ask(self, request: Request, operation: str, asked: dict[str, Any]) -> Any:
        """Ask the real endpoint, as the same caller."""
        target = request.headers["X-Amz-Target"].rpartition(".")[0]
        headers = {**request.headers, "X-Amz-Target": f"{target}.{operation}"}
        body = json.dumps(asked).encode()
        reply = forward(self._target, Request(operation, request.path, headers, body))
        if reply.status != 200:
            raise _RefusedError(reply)
        return json.loads(reply.body)

    def _held(self, name: str) -> list[dict[str, Any]]:
        written = len(self._records)
        places = takewhile(lambda place: place <= written, self._shards[name].places)
        return [self._records[place - 1] for place in places]

    def _is_closed(self, name: str) -> bool:
        has_children = any(shard.parent == name for shard in self._shards.values())
        return has_children and self._shards[name].places[-1] <= len(self._records)

    def _is_begun(self, shard: ProxiedShard) -> bool:
        return shard.parent is None or self._is_closed(shard.parent)

    def _described(self, name: str) -> dict[str, Any]:
        held, parent = self._held(name), self._shards[name].parent
        # A shard that holds nothing yet begins where the stream ends.
        first = held or self._records[-1:]
        numbers = {"StartingSequenceNumber": _text(first[0])} if first else {}
        if self._is_closed(name):
            numbers["EndingSequenceNumber"] = _text(held[-1])
        described: dict[str, Any] = {"ShardId": name, "SequenceNumberRange": numbers}
        return described if parent is None else {**described, "ParentShardId": parent}


def _text(record: Mapping[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _number(record: Mapping[str, Any]) -> int:
    return int(_text(record))
