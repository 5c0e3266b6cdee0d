"""What holds for all tests."""

from hypothesis import settings

settings.register_profile(
    "shared", deadline=None
)  # a machine that others use takes its time now and then: that is no fault
settings.load_profile("shared")
