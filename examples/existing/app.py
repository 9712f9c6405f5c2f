"""What the cdk command runs: `cdk synth --app "python -m examples.existing.app"`."""

from __future__ import annotations

import aws_cdk as cdk

from examples.existing.stack import ExistingStack


def main() -> None:
    """Synthesize the stack."""
    app = cdk.App()
    ExistingStack(app, "Existing")
    app.synth()


if __name__ == "__main__":
    main()
