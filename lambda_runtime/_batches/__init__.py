"""A batch handled in order, and the answer that Lambda reads."""
