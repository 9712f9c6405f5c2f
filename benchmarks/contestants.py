"""What each contestant does with an event, written as its own documentation writes it.

A contestant that is faster when used with care is used with care: Powertools decodes an image again
each time that `record.dynamodb` is read, so it is read once here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[dict[str, Any]], object]

POWERTOOLS = "aws_lambda_powertools.utilities"
IMAGES = ("Keys", "NewImage", "OldImage")


def decode_everything() -> dict[str, Run]:
    """Each gives, for every record, its keys and both images as plain dicts."""
    from lambda_runtime import parse

    stream_event = import_module(f"{POWERTOOLS}.data_classes").DynamoDBStreamEvent
    deserialize = import_module("boto3.dynamodb.types").TypeDeserializer().deserialize
    deserialize_item = import_module("ddbcereal").Deserializer().deserialize_item
    from_dynamodb_json = import_module("cerealbox.dynamo").from_dynamodb_json

    def ours(event: dict[str, Any]) -> object:
        return [
            (change.keys.to_dict(), change.new.to_dict(), change.old.to_dict())
            for change in parse(event)
        ]

    def boto3(event: dict[str, Any]) -> object:
        return [
            tuple(
                {name: deserialize(value) for name, value in record["dynamodb"][image].items()}
                for image in IMAGES
            )
            for record in event["Records"]
        ]

    def powertools(event: dict[str, Any]) -> object:
        streams = [record.dynamodb for record in stream_event(event).records]
        return [(stream.keys, stream.new_image, stream.old_image) for stream in streams]

    def ddbcereal(event: dict[str, Any]) -> object:
        return [
            tuple(deserialize_item(record["dynamodb"][image]) for image in IMAGES)
            for record in event["Records"]
        ]

    def cerealbox(event: dict[str, Any]) -> object:
        return [
            tuple(from_dynamodb_json(record["dynamodb"][image]) for image in IMAGES)
            for record in event["Records"]
        ]

    return {
        "lambda_runtime": ours,
        "boto3": boto3,
        "powertools": powertools,
        "ddbcereal": ddbcereal,
        "cerealbox": cerealbox,
    }


def decode_new_images() -> dict[str, Run]:
    """Ours and boto3, for the growth of one image."""
    from lambda_runtime import parse

    deserialize = import_module("boto3.dynamodb.types").TypeDeserializer().deserialize

    def ours(event: dict[str, Any]) -> object:
        return [change.new.to_dict() for change in parse(event)]

    def boto3(event: dict[str, Any]) -> object:
        return [
            {name: deserialize(value) for name, value in record["dynamodb"]["NewImage"].items()}
            for record in event["Records"]
        ]

    return {"lambda_runtime": ours, "boto3": boto3}


def do_what_handlers_do() -> dict[str, Run]:
    """Each reads a key and two attributes, one of which it compares with its old value."""
    from lambda_runtime import Modify, parse

    stream_event = import_module(f"{POWERTOOLS}.data_classes").DynamoDBStreamEvent
    deserialize = import_module("boto3.dynamodb.types").TypeDeserializer().deserialize

    def ours(event: dict[str, Any]) -> object:
        answers = []
        for change in parse(event):
            if isinstance(change, Modify):
                new, changed = change.new, change.changed("status")
                answers.append((change.keys["pk"], new["status"], new["total"], changed))
        return answers

    def boto3(event: dict[str, Any]) -> object:
        answers = []
        for record in event["Records"]:
            keys, new, old = (
                {name: deserialize(value) for name, value in record["dynamodb"][image].items()}
                for image in IMAGES
            )
            answers.append(
                (keys["pk"], new["status"], new["total"], new["status"] != old["status"])
            )
        return answers

    def boto3_one_by_one(event: dict[str, Any]) -> object:
        answers = []
        for record in event["Records"]:
            stream = record["dynamodb"]
            status = deserialize(stream["NewImage"]["status"])
            changed = status != deserialize(stream["OldImage"]["status"])
            total = deserialize(stream["NewImage"]["total"])
            answers.append((deserialize(stream["Keys"]["pk"]), status, total, changed))
        return answers

    def powertools(event: dict[str, Any]) -> object:
        answers = []
        for record in stream_event(event).records:
            stream: Any = record.dynamodb
            new, old = stream.new_image, stream.old_image
            changed = new["status"] != old["status"]
            answers.append((stream.keys["pk"], new["status"], new["total"], changed))
        return answers

    return {
        "lambda_runtime": ours,
        "boto3": boto3,
        "powertools": powertools,
        "boto3, attribute by attribute": boto3_one_by_one,
    }


def handle_a_batch() -> dict[str, Run]:
    """Each calls a function for every record, which reads a key, and answers Lambda."""
    from lambda_runtime import Modify, Router

    batch = import_module(f"{POWERTOOLS}.batch")

    on = Router()

    @on.modify("status")
    def paid(change: Modify) -> None:
        _ = change.keys["pk"]

    answer = batch.process_partial_response
    processor = batch.BatchProcessor(event_type=batch.EventType.DynamoDBStreams)

    def record_handler(record: Any) -> None:
        stream = record.dynamodb
        if stream.new_image["status"] != stream.old_image["status"]:
            _ = stream.keys["pk"]

    def powertools(event: dict[str, Any]) -> object:
        return answer(event=event, record_handler=record_handler, processor=processor, context=None)

    def record_handler_of_nothing(record: Any) -> None:
        pass

    def powertools_nothing(event: dict[str, Any]) -> object:
        return answer(
            event=event, record_handler=record_handler_of_nothing, processor=processor, context=None
        )

    return {
        "lambda_runtime": on.handler,
        "powertools": powertools,
        "powertools, a handler that does nothing": powertools_nothing,
    }
