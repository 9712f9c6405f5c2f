"""A pipeline that deploys one app to a test account, then to production."""
