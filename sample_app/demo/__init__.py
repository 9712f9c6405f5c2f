"""`make demo`: the sample deployed to a local AWS, used for a day, and checked. See __main__.py."""
