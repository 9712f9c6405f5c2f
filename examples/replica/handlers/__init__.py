"""What the replica makes of an order."""
