"""What the tests of others may use: fakes beside the interfaces that they stand for."""
