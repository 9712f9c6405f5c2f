"""A handler that reads items as pydantic models, with pydantic bundled for Lambda."""
