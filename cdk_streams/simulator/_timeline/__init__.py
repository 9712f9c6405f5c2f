"""A run as a list of events, as text and as an HTML page."""
