"""A logger of your own: Weights & Biases, after `pip install wandb`.

plugins: [plugins/logger.py]
training: {loggers: [{type: weights_and_biases, project: digits, mode: offline}]}
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import Field

from nettrain import ConfigError, LoggedEnd, LoggedEpoch, LoggedRun, Logger, RunLog, Text


@dataclass(frozen=True, kw_only=True)
class WeightsAndBiases(Logger):
    """Weights & Biases: metrics per epoch, the configuration, the final metrics as summary."""

    project: Annotated[Text, Field(description="project of the run")] = "nettrain"
    mode: Annotated[
        Literal["online", "offline"], Field(description="offline: sent later by `wandb sync`")
    ] = "online"

    def check(self) -> None:
        """Called before data are loaded: what is missing is better known now."""
        if find_spec("wandb") is None:
            raise ConfigError("wandb is not installed; pip install wandb")

    def open(self, run: LoggedRun) -> RunLog:
        """Begin the run, or continue the one that has the same identity."""
        import wandb

        session = wandb.init(
            project=self.project,
            name=run.name,
            id=run.identity,
            resume="allow",
            group=None if run.group is None else run.group.directory.name,
            config=dict(run.config),
            mode=self.mode,
            dir=str(run.directory.parent),
        )
        return WandbRun(session)


class WandbRun(RunLog):
    """One run of Weights & Biases. What it raises becomes a warning; training goes on."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def epoch(self, epoch: LoggedEpoch) -> None:
        """The metrics of an epoch."""
        self.session.log(epoch.metrics, step=epoch.row["epoch"])

    def end(self, end: LoggedEnd) -> None:
        """The final metrics, and how the run ended."""
        self.session.summary.update(end.metrics)
        self.session.finish(exit_code=0 if end.status == "finished" else 1)
