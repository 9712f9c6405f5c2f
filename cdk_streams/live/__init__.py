"""Event source mappings on a real DynamoDB Streams API, by the rules of `cdk_streams.poller`.

Nothing is imported here: a command that only reads a template does not pay for boto3.
"""
