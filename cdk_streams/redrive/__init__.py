"""Failure records of a deployed stack: found, planned, and their functions invoked again.

Nothing is imported here: a command that only reads a template does not pay for boto3.
"""
