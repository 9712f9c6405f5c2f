"""What a redrive talks to, in memory: a stream, a queue, buckets, mappings and one function.

    aws = FakeAws()
    aws.fail(0, 1)                       # a failure record for the first two of its four records
    find_failures(aws.client, [FailureQueue(QUEUE_URL)], limit=100)
    aws.queue.messages, aws.functions.calls, aws.objects

`aws.client("sqs")` stands in for boto3's, and `asked` keeps the name of every operation called.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from cdk_streams.live import AtStart, ShardReader
from cdk_streams.testing import FakeStreams

__all__ = [
    "BUCKET",
    "FUNCTION",
    "QUEUE_ARN",
    "QUEUE_URL",
    "FakeAws",
    "FakeFunctions",
    "FakeLogs",
    "FakeMetrics",
    "FakeQueue",
]

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:audit"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:failed"
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/000000000000/failed"
BUCKET = "failed-records"

_MAPPING = "AWS::Lambda::EventSourceMapping"


def _refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the fake was told"}}, operation)


@dataclass
class FakeQueue:
    """A queue; a message that is received is hidden until its visibility is reset."""

    messages: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def put(self, body: Any) -> None:
        """Put a message into the queue."""
        self.messages[f"receipt-{len(self.messages)}"] = json.dumps(body)

    def receive_message(self, **request: Any) -> dict[str, Any]:
        """Return the messages that are not hidden, and hide them."""
        seen = [each for each in self.messages if each not in self.hidden]
        seen = seen[: request["MaxNumberOfMessages"]]
        self.hidden.update(seen)
        return {
            "Messages": [
                {"Body": self.messages[one], "ReceiptHandle": one, "MessageId": one} for one in seen
            ]
        }

    def delete_message(self, **request: Any) -> None:
        """Delete one message."""
        del self.messages[request["ReceiptHandle"]]
        self.hidden.discard(request["ReceiptHandle"])

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """Show messages again, or keep them hidden; one that is shown cannot be kept hidden."""
        failed = []
        for each in request["Entries"]:
            if each["VisibilityTimeout"] == 0:
                self.hidden.discard(each["ReceiptHandle"])
            elif each["ReceiptHandle"] not in self.hidden:
                failed.append({"Id": each["Id"], "Code": "MessageNotInflight"})
        return {"Failed": failed}

    def get_queue_url(self, **request: Any) -> dict[str, str]:
        """Return the one queue's URL."""
        if request != {"QueueName": "failed", "QueueOwnerAWSAccountId": "000000000000"}:
            raise _refusal("AWS.SimpleQueueService.NonExistentQueue", "GetQueueUrl")
        return {"QueueUrl": QUEUE_URL}


@dataclass
class FakeFunctions:
    """Mappings by function; a call is kept in `calls` and answered with `answer`.

    `calls` holds the function's ARN and the event. `error` is the kind of function error.
    """

    mappings: dict[str, dict[str, Any]]
    answer: bytes = b'{"batchItemFailures": []}'
    error: str | None = None
    throttles: bool = False
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def list_event_source_mappings(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield a page for each mapping; refuse a function that is not there, as Lambda does."""
        named = request.get("FunctionName")
        if named is not None and named not in self.mappings:
            raise _refusal("ResourceNotFoundException", "ListEventSourceMappings")
        for function, mapping in self.mappings.items():
            if named in {None, function} and request.get("EventSourceArn") in {
                None,
                mapping["EventSourceArn"],
            }:
                yield {"EventSourceMappings": [mapping]}

    def get_event_source_mapping(self, **request: Any) -> dict[str, Any]:
        """Return a mapping by its UUID."""
        return next(each for each in self.mappings.values() if each["UUID"] == request["UUID"])

    def get_function_configuration(self, **request: Any) -> dict[str, Any]:
        """Return where the function logs to."""
        return {"LoggingConfig": {"LogGroup": f"/logs/{request['FunctionName'].split(':')[6]}"}}

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Call the function."""
        if self.throttles:
            raise _refusal("TooManyRequestsException", "Invoke")
        self.calls.append((request["FunctionName"], json.loads(request["Payload"])))
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": io.BytesIO(self.answer)}
        return answer | ({"FunctionError": self.error} if self.error else {})


@dataclass
class FakeLogs:
    """A log group by its name; `lines` are (log stream, milliseconds since 1970, text)."""

    lines: dict[str, list[tuple[str, int, str]]] = field(default_factory=dict)

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        """Return what holds one of the pattern's words, a line a page."""
        if request["logGroupName"] not in self.lines:
            raise _refusal("ResourceNotFoundException", "FilterLogEvents")
        words = re.findall(r'"(.*?)"', request["filterPattern"])
        found = [
            {"logStreamName": stream, "timestamp": at_ms, "message": text}
            for stream, at_ms, text in self.lines[request["logGroupName"]]
            if request["startTime"] <= at_ms <= request["endTime"]
            and stream in request.get("logStreamNames", [stream])
            and any(word in text for word in words)
        ]
        place = int(request.get("nextToken", 0))
        more = {"nextToken": str(place + 1)} if place + 1 < len(found) else {}
        return {"events": found[place : place + 1], **more}


@dataclass
class FakeMetrics:
    """CloudWatch with the iterator age alone, `points` by their time, in milliseconds."""

    points: dict[datetime, float] = field(default_factory=dict)

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        """Return the points between two times."""
        return {
            "Datapoints": [
                {"Timestamp": at, "Maximum": value}
                for at, value in self.points.items()
                if request["StartTime"] <= at < request["EndTime"]
            ]
        }


class FakeAws:
    """Four written records in a shard, a consumer without filters, an empty queue and bucket.

    `objects` is what buckets hold, text by bucket and key; `notifications` the configuration by
    bucket; `stack` the resources of every stack; `items` those of every table, by their first key.
    """

    def __init__(self) -> None:
        self.streams = FakeStreams()
        self.streams.add_shard("s")
        self.numbers = [self.streams.write("s", {"ordinal": {"N": str(n)}}) for n in range(4)]
        self.queue = FakeQueue()
        self.functions = FakeFunctions({FUNCTION: self.mapping(FUNCTION, "uuid-1")})
        self.objects: dict[tuple[str, str], str] = {}
        self.notifications: dict[str, dict[str, Any]] = {}
        self.stack: list[dict[str, Any]] = []
        self.items: dict[str, dict[str, Any]] = {}
        self.logs = FakeLogs()
        self.metrics = FakeMetrics()
        self.asked: set[tuple[str, str]] = set()

    def mapping(self, function: str, uuid: str, destination: str = QUEUE_ARN) -> dict[str, Any]:
        """Return a mapping of the stream to a function, as the Lambda API tells it."""
        return {
            "UUID": uuid,
            "FunctionArn": function,
            "EventSourceArn": self.streams.arn,
            "State": "Enabled",
            "BatchSize": 100,
            "StartingPosition": "TRIM_HORIZON",
            "DestinationConfig": {"OnFailure": {"Destination": destination}},
        }

    def deployed(self, **uuids: str) -> None:
        """Let the stack consist of mappings: logical id and UUID."""
        self.stack = [
            {"LogicalResourceId": name, "PhysicalResourceId": uuid, "ResourceType": _MAPPING}
            for name, uuid in uuids.items()
        ]

    def failure(self, first: int, last: int, function: str = FUNCTION) -> dict[str, Any]:
        """Return a failure record for the records `first` to `last`."""
        return {
            "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted"},
            "DDBStreamBatchInfo": {
                "shardId": "s",
                "startSequenceNumber": self.numbers[first],
                "endSequenceNumber": self.numbers[last],
                "batchSize": last - first + 1,
                "streamArn": self.streams.arn,
            },
        }

    def fail(self, first: int, last: int, function: str = FUNCTION) -> None:
        """Put a failure record for the records `first` to `last` into the queue."""
        self.queue.put(self.failure(first, last, function))

    def keep(self, first: int, last: int, function: str = FUNCTION) -> str:
        """Put a failure record with its records into the bucket; return the object's key."""
        records = ShardReader(self.streams, self.streams.arn, "s", AtStart()).read().records
        payload = json.dumps({"Records": records[first : last + 1]})
        key = f"aws/lambda/uuid-1/s/2026/01/01/2026-01-01T00.00.0{first}-{last}"
        body = self.failure(first, last, function) | {"payload": payload}
        self.objects[BUCKET, key] = json.dumps(body)
        return key

    def notify(self, *keys: str, bucket: str = BUCKET) -> None:
        """Put S3's notification of new objects into the queue."""
        records = [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
            }
            for key in keys
        ]
        self.queue.put({"Records": records})

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        served: dict[str, Any] = {
            "cloudformation": _Paged(list_stack_resources=self._stack_pages),
            "cloudwatch": self.metrics,
            "dynamodb": _Paged(get_item=self._get_item),
            "dynamodbstreams": self.streams,
            "logs": self.logs,
            "lambda": self.functions,
            "s3": _Paged(
                list_objects_v2=self._object_pages,
                get_object=self._get_object,
                delete_object=self._delete_object,
                get_bucket_notification_configuration=self._notification,
            ),
            "sqs": self.queue,
        }
        return _Asked(served[service], lambda operation: self.asked.add((service, operation)))

    def _stack_pages(self, **_request: Any) -> Iterable[Any]:
        if not self.stack:
            raise _refusal("ValidationError", "ListStackResources")
        return ({"StackResourceSummaries": [each]} for each in self.stack)

    def _get_item(self, **request: Any) -> dict[str, Any]:
        found = self.items.get(json.dumps(request["Key"]))
        return {} if found is None else {"Item": found}

    def _object_pages(self, **request: Any) -> Iterable[Any]:
        bucket, prefix = request["Bucket"], request["Prefix"]
        keys = [key for held, key in self.objects if held == bucket and key.startswith(prefix)]
        return [{"Contents": [{"Key": key}]} for key in sorted(keys)] or [{}]

    def _get_object(self, **request: Any) -> dict[str, Any]:
        text = self.objects.get((request["Bucket"], request["Key"]))
        if text is None:
            raise _refusal("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(text.encode(errors="surrogatepass"))}

    def _delete_object(self, **request: Any) -> None:
        del self.objects[request["Bucket"], request["Key"]]

    def _notification(self, **request: Any) -> dict[str, Any]:
        return self.notifications.get(request["Bucket"], {})


class _Paged:
    """Operations by name."""

    def __init__(self, **operations: Callable[..., Any]) -> None:
        self.__dict__.update(operations)


class _Asked:
    """A client that tells which operations are called, those of paginators too."""

    def __init__(self, client: Any, tell: Callable[[str], None]) -> None:
        self._client = client
        self._tell = tell

    def __getattr__(self, operation: str) -> Any:
        self._tell(operation)
        return getattr(self._client, operation)

    def get_paginator(self, operation: str) -> Any:
        """Return what pages through an operation."""
        return _Pages(getattr(self, operation))


@dataclass
class _Pages:
    paginate: Callable[..., Iterable[Any]]
