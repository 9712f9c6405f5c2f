"""A consumer on fakes only, as the fixture `bench`."""

from tests.bench.driver_on_fakes import bench

__all__ = ["bench"]
