"""The services that events go to, one class each."""
