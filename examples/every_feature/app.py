"""What the cdk command runs: `cdk synth --app "python -m examples.every_feature.app"`."""

from __future__ import annotations

import os

import aws_cdk as cdk

from examples.every_feature.stack import EveryFeatureStack


def main() -> None:
    """Synthesize the stack for the region the command is used with."""
    app = cdk.App()
    region = os.environ.get("CDK_DEFAULT_REGION", "us-east-1")
    EveryFeatureStack(app, "EveryFeature", region=region)
    app.synth()


if __name__ == "__main__":
    main()
