"""Every construct and every setting, once: stack.py."""
