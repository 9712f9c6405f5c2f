"""A CDK app on this machine: a local AWS, the cdk command, one session of `cdk-streams local`.

Nothing is imported here: a command that only reads a template does not pay for boto3.
"""
