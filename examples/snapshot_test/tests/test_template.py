"""The resources that hold data, read the stream or give rights are as they were reviewed."""

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion

from app import SnapshotTestStack
from cdk_streams.testing import TemplateSnapshots

REVIEWED = {
    "tables": "AWS::DynamoDB::GlobalTable",
    "mappings": "AWS::Lambda::EventSourceMapping",
    "rights": "AWS::IAM::Policy",
}


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_stack(SnapshotTestStack(cdk.App(), "SnapshotTest"))


@pytest.mark.parametrize("name", REVIEWED)
def test_resources_are_as_reviewed(
    name: str, template: Template, snapshot: SnapshotAssertion
) -> None:
    found = template.find_resources(REVIEWED[name])
    assert found == snapshot.use_extension(TemplateSnapshots)
