"""Tables and their streams in memory, as DynamoDB keeps them."""
