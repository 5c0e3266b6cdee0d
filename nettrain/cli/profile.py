"""`nettrain fit --profile`: a per-layer timing breakdown of the training steps, on stderr."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nettrain.cli.output import console, say
from nettrain.training.callbacks import Callback


@contextmanager
def profiling(enabled: bool) -> Iterator[Sequence[Callback]]:
    """Yield the callbacks; print the table at the end, also after an interruption."""
    if not enabled:
        yield []
        return
    from nettrain.cli.render_model import profile_table
    from nettrain.inspection.profile import Profile

    profile = Profile()
    try:
        yield [profile]
    finally:
        if profile.steps:
            console(stderr=True).print(profile_table(profile))
            if profile.fused:
                say(
                    "no time of their own (views, or fused with the layer before): "
                    f"{', '.join(profile.fused)}"
                )
            say(
                f"{profile.steps:,} steps; peak: {profile.peak:.0f} GFLOP/s "
                "(a 2048 x 2048 float32 matrix product on the run's threads)"
            )
            if profile.epochs:
                say(
                    "between epochs (evaluation, logs, checkpoints): "
                    f"{profile.between_epochs:.1f} ms per epoch"
                )
        elif profile.peak:
            say("profile: no step was timed, since each recorded a plan: train for more steps")
