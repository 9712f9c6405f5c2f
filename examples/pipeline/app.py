"""An app that a pipeline tests and deploys: first to a test account, then to production.

repository ──▶ Synth (pytest, cdk synth) ──▶ Test ──▶ approval ──▶ Production
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from aws_cdk import pipelines
from constructs import Construct

import cdk_streams as streams

HANDLERS: Final = Path(__file__).parent / "handlers"
KEY: Final = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
# Replace these four by your own.
TOOLS: Final = cdk.Environment(account="111111111111", region="eu-west-1")
TEST: Final = cdk.Environment(account="222222222222", region="eu-west-1")
PRODUCTION: Final = cdk.Environment(account="333333333333", region="eu-west-1")
CONNECTION: Final = "arn:aws:codeconnections:eu-west-1:111111111111:connection/example"


class ShopStack(cdk.Stack):
    """The table and its consumer; production keeps failed records whole, and pages somebody."""

    def __init__(self, scope: Construct, construct_id: str, *, is_production: bool = False) -> None:
        super().__init__(scope, construct_id, description="Example: what a pipeline deploys")
        orders = streams.StreamTable(self, "Orders", partition_key=KEY)
        function = streams.StreamFunction(self, "IndexFunction", entry=HANDLERS / "index.py")
        if is_production:
            pager = sns.Topic(self, "Pager")
            on_failure = streams.OnFailure.QUEUE_WITH_PAYLOAD
            alarms = streams.Alarms(actions=[pager])
        else:
            on_failure, alarms = streams.OnFailure.QUEUE, streams.Alarms()
        streams.StreamConsumer(
            self, "Index", table=orders, function=function, on_failure=on_failure, alarms=alarms
        )


class ShopStage(cdk.Stage):
    """Everything that one account gets."""

    def __init__(
        self, scope: Construct, construct_id: str, *, env: cdk.Environment, is_production: bool
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        ShopStack(self, "Shop", is_production=is_production)


class PipelineStack(cdk.Stack):
    """The pipeline. It is deployed once by hand; then it updates itself."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=TOOLS, description="Example: a pipeline")
        source = pipelines.CodePipelineSource.connection(
            "example/shop", "main", connection_arn=CONNECTION
        )
        synth = pipelines.ShellStep(
            "Synth",
            input=source,
            install_commands=["pip install -r requirements.txt", "npm install -g aws-cdk@2"],
            commands=["pytest", "cdk synth --strict"],
        )
        pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=synth,
            pipeline_type=codepipeline.PipelineType.V2,
            cross_account_keys=True,
            enable_key_rotation=True,
        )
        pipeline.add_stage(ShopStage(self, "Test", env=TEST, is_production=False))
        pipeline.add_stage(
            ShopStage(self, "Production", env=PRODUCTION, is_production=True),
            pre=[pipelines.ManualApprovalStep("Approve")],
        )


if __name__ == "__main__":
    app = cdk.App()
    PipelineStack(app, "Pipeline")
    app.synth()
