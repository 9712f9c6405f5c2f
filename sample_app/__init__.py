"""The sample: an order system whose stock and audit trail follow its orders. Start at stack.py."""
