"""Two functions of one project that share a module."""
