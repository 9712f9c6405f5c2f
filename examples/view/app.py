"""What the cdk command runs: `cdk synth --app "python -m examples.view.app"`."""

from __future__ import annotations

import aws_cdk as cdk

from examples.view.stack import ViewStack


def main() -> None:
    """Synthesize the stack."""
    app = cdk.App()
    ViewStack(app, "View")
    app.synth()


if __name__ == "__main__":
    main()
