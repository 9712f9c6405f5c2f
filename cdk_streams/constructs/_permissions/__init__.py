"""What people and pipelines may do with a consumer, and what cdk-nag says about consumers."""
