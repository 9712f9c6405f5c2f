"""What the cdk command runs, as cdk.json says: `cdk synth`, `cdk deploy`."""

from __future__ import annotations

import aws_cdk as cdk

from sample_app.stack import OrdersStack


def main() -> None:
    """Synthesize the one stack into cdk.out."""
    app = cdk.App()
    OrdersStack(app, "Orders")
    app.synth()


if __name__ == "__main__":
    main()
