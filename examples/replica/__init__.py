"""Orders, and the same orders under their customers."""
