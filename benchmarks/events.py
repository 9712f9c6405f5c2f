"""The event that every contestant decodes: orders of 13 attributes with nesting, none binary.

Lambda sends binaries as base64 text, at which boto3 raises and which the others leave as text. So
they are left out: nobody is timed at giving a wrong answer.
"""

from __future__ import annotations

import json
from typing import Any

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-09-17T14:11:11.040"


def order(number: int, status: str) -> dict[str, Any]:
    return {
        "pk": {"S": f"CUSTOMER#{number % 97}"},
        "sk": {"S": f"ORDER#{number:08}"},
        "status": {"S": status},
        "total": {"N": f"{number % 500}.{number % 100:02}"},
        "currency": {"S": "EUR"},
        "version": {"N": str(number)},
        "paid": {"BOOL": number % 2 == 0},
        "coupon": {"NULL": True},
        "email": {"S": f"customer{number % 97}@example.com"},
        "created": {"S": "2026-09-17T14:11:11.040Z"},
        "tags": {"SS": ["gift", "express", "fragile"]},
        "address": {
            "M": {
                "street": {"S": "Main Street 1"},
                "zip": {"S": f"{number % 100000:05}"},
                "geo": {"M": {"lat": {"N": "52.5200"}, "lon": {"N": "13.4050"}}},
            }
        },
        "lines": {
            "L": [
                {"M": {"sku": {"S": "A-1"}, "quantity": {"N": "2"}, "price": {"N": "9.95"}}},
                {"M": {"sku": {"S": "B-7"}, "quantity": {"N": "1"}, "price": {"N": "110.00"}}},
            ]
        },
    }


def event(records: int) -> dict[str, Any]:
    """Make a batch of MODIFY records as Lambda hands it over: parsed from JSON, nothing shared."""
    batch = [
        {
            "eventID": f"{number:032x}",
            "eventName": "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1789654328.0,
                "Keys": {name: order(number, "")[name] for name in ("pk", "sk")},
                "NewImage": order(number, "PAID"),
                "OldImage": order(number, "NEW"),
                "SequenceNumber": str(3800002862244222465263 + number),
                "SizeBytes": 900,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": ARN,
        }
        for number in range(records)
    ]
    parsed: dict[str, Any] = json.loads(json.dumps({"Records": batch}))
    return parsed


def wide_event(attributes: int, records: int = 100) -> dict[str, Any]:
    """Make a batch of items with this many attributes, strings and numbers by turns."""
    image = {
        f"attribute{at}": {"N": f"{at}.5"} if at % 2 else {"S": f"value {at}"}
        for at in range(attributes)
    }
    made = event(records)
    for record in made["Records"]:
        record["dynamodb"]["NewImage"] = json.loads(json.dumps(image))
        del record["dynamodb"]["OldImage"]
    return made
