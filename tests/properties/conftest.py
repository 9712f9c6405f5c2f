"""Hypothesis without its clock: a slow machine must not fail a property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
