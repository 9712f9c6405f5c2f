from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Template = dict[str, Any]


@pytest.fixture
def template() -> Callable[..., Template]:
    """Return a maker of templates: a table `Orders`, a function `Audit`, a mapping `Mapping`.

    Its keywords are properties of the mapping; None leaves one out.
    """

    def make(**properties: Any) -> Template:
        mapping = {
            "EventSourceArn": {"Fn::GetAtt": ["Orders", "StreamArn"]},
            "FunctionName": {"Ref": "Audit"},
            "StartingPosition": "TRIM_HORIZON",
            **properties,
        }
        return {
            "Parameters": {
                "Size": {"Type": "Number", "Default": 2},
                "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
                "NoDefault": {"Type": "String"},
                "Names": {"Type": "CommaDelimitedList", "Default": "one, two"},
            },
            "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
            "Mappings": {"Sizes": {"dev": {"Batch": 3, "Types": ["ReportBatchItemFailures"]}}},
            "Resources": {
                "Orders": {
                    "Type": "AWS::DynamoDB::Table",
                    "Properties": {
                        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
                    },
                },
                "Audit": {"Type": "AWS::Lambda::Function", "Properties": {}},
                "Failures": {"Type": "AWS::SQS::Queue"},
                "Mapping": {
                    "Type": "AWS::Lambda::EventSourceMapping",
                    "Properties": {k: v for k, v in mapping.items() if v is not None},
                },
            },
        }

    return make
