"""A deployed function on this machine, in the runtime client that Lambda itself uses.

Nothing is imported here: a command that only reads a template does not pay for boto3.
"""
