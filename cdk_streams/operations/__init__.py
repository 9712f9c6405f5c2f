"""Everything that talks to an AWS API or runs a real function on this machine.

Nothing is imported here: a command that only reads a template does not pay for boto3.
"""
