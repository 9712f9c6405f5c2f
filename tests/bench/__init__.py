"""Recorded scenarios, run in the simulator, on fakes and on real stream APIs."""
