"""What holds for all tests."""

import os

from hypothesis import settings

os.environ.pop("COLUMNS", None)  # tables are as wide as a pipe has them, whatever runs the tests

settings.register_profile(
    "shared", deadline=None
)  # a machine that others use takes its time now and then: that is no fault
settings.load_profile("shared")
