"""DynamoDB's typed values and Python's."""
