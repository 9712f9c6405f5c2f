from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.errors import TemplateError
from cdk_streams.template import read, settings_of

Make = Callable[..., dict[str, Any]]

YAML = """
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Conditions:
  Strict: !Not [!Equals [!Ref AWS::Region, eu-west-1]]
  Both: !And [!Condition Strict, !Condition Strict]
Globals: {Function: {Timeout: 9}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Audit:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Join ['-', [audit, !Select [0, !Split [',', 'a,b']]]]
      Environment: {Variables: {SINCE: 2026-01-01, ARN: !Sub '${Orders.Arn}', ON: true}}
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Orders.StreamArn
            StartingPosition: LATEST
            BatchSize: !If [Both, 5, 6]
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
"""


def check(document: Any) -> None:
    stack = read(document)
    assert stack.mappings["AuditChanges"].table == "Orders"
    assert settings_of(stack.mappings["AuditChanges"]).batch_size == 5
    audit = stack.functions["Audit"]
    assert (audit.name, audit.timeout_s) == ("audit-a", 9)
    assert audit.environment == {
        "SINCE": "2026-01-01",
        "ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/Orders",
        "ON": "true",
    }


def test_yaml_with_short_tags_is_read(tmp_path: Path) -> None:
    check(YAML)
    path = tmp_path / "template.yaml"
    path.write_text(YAML)
    check(path)
    check(str(path))


def test_json_is_read(template: Make, tmp_path: Path) -> None:
    path = tmp_path / "stack.template.json"
    path.write_text(json.dumps(template()))
    expected = read(template())
    assert read(path) == read(str(path)) == read(json.dumps(template())) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: [\n", "the template's text must be JSON or YAML, got while parsing"),
        ('{"Resources":', "the template's text must be JSON or YAML, got Expecting value"),
        ("\n", "the template's text must hold a template, got nothing: it is empty"),
        ("Resources: [a]\n", "the template's text must hold a template, got Resources that are a"),
        (
            "Resources:\n  A: !Sb x\n",
            "the template's text must be JSON or YAML, got !Sb in line 2, column 6, which is no",
        ),
        ("- a\n- b\n", "the template's text must hold a template, got a list"),
        ("gone.yaml", "the template 'gone.yaml' must be readable, got: No such file"),
    ],
)
def test_what_is_no_template_is_named(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(TemplateError, match="got a file that is no UTF-8 text"):
        read(path)


def test_a_byte_order_mark_is_passed_over(template: Make) -> None:
    assert read("\ufeff" + json.dumps(template())) == read(template())


def test_yaml_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "cdk_streams.template._yaml", raising=False)
    monkeypatch.delattr("cdk_streams.template._yaml", raising=False)
    with pytest.raises(TemplateError) as caught:
        read(YAML)
    assert str(caught.value) == (
        "the template's text is YAML, which needs PyYAML; pip install 'cdk-streams[cli]'"
    )


def test_a_template_nested_too_deeply_is_refused(template: Make) -> None:
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    made = template(Tags=value)
    with pytest.raises(TemplateError, match="nested too deeply"):
        read(made)
