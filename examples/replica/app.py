"""What the cdk command runs: `cdk synth --app "python -m examples.replica.app"`."""

from __future__ import annotations

import aws_cdk as cdk

from examples.replica.stack import ReplicaStack


def main() -> None:
    """Synthesize the stack."""
    app = cdk.App()
    ReplicaStack(app, "Replica")
    app.synth()


if __name__ == "__main__":
    main()
