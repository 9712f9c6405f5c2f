"""A global table, and a consumer of its replica in another Region."""
