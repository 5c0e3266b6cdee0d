"""`nettrain fit --profile`: the table of a run's steps, on stderr."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nettrain.cli.output import console, say
from nettrain.training.callbacks import Callback


@contextmanager
def profiling(wanted: bool) -> Iterator[Sequence[Callback]]:
    """The callbacks to train with. The table comes when the block ends, also where the run was interrupted."""
    if not wanted:
        yield []
        return
    from nettrain.cli.render import profile_table
    from nettrain.inspection.profile import Profile

    profile = Profile()
    try:
        yield [profile]
    finally:
        if profile.steps:
            console(stderr=True).print(profile_table(profile))
            if profile.fused:
                say(
                    f"no time of their own (views, or computed together with the layer before): {', '.join(profile.fused)}"
                )
            say(
                f"{profile.steps:,} steps; peak: {profile.peak:.0f} GFLOP/s, the best 2048 x 2048 float32 product on the run's threads"
            )
            if profile.epochs:
                say(
                    f"between two epochs (evaluation, logs, checkpoints): {profile.between_epochs:.1f} ms"
                )
        elif profile.peak:
            say(
                "profile: every step recorded a plan, and none was left to clock: train for more steps"
            )
