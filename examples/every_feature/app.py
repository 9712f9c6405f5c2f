"""What the cdk command runs: `cdk synth --app "python -m examples.every_feature.app"`."""

from __future__ import annotations

import os

import aws_cdk as cdk

from examples.every_feature.elsewhere import ElsewhereStack
from examples.every_feature.stack import EveryFeatureStack


def main() -> None:
    """Synthesize both stacks for the region the command is used with."""
    app = cdk.App()
    region = os.environ.get("CDK_DEFAULT_REGION", "us-east-1")
    every = EveryFeatureStack(app, "EveryFeature", region=region)
    ElsewhereStack(app, "Elsewhere", region=region).add_stack_dependency(every)
    app.synth()


if __name__ == "__main__":
    main()
