"""The conformance kit: asks AWS what its poller does, and compares the simulator with the answers.

`questions` holds what is asked, `app` deploys it, `run` records what happened, and `compare` plays
each recording in the simulator. See README.md beside this file.
"""
