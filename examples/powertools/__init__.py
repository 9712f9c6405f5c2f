"""A handler that logs with Powertools, which is bundled for Lambda."""
