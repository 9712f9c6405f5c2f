"""Virtual time: what drives a poller and calls handlers without waiting."""
