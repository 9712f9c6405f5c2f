"""What the cdk command runs: `cdk synth --app "python -m examples.events.app"`."""

from __future__ import annotations

import aws_cdk as cdk

from examples.events.stack import EventsStack


def main() -> None:
    """Synthesize the stack."""
    app = cdk.App()
    EventsStack(app, "Events")
    app.synth()


if __name__ == "__main__":
    main()
