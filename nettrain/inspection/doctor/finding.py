"""What a check of the doctor says: a status, the numbers, and a remedy."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: Of the check: `initial loss`.
        status: ok; warning: it may cost accuracy, or mislead; failed: this set-up cannot learn, or
            its metrics mean nothing, until it is mended; skipped: the check does not apply.
        message: What was found, with its numbers; of a skipped check why it does not apply.
        remedy: What to do about it; empty where nothing need be done.
    """

    name: str
    status: Status
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Examination:
    """All findings about a set-up.

    Attributes:
        findings: In the order of the checks.
        seconds: That the examination took.
    """

    findings: tuple[Finding, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.with_status("failed")

    def with_status(self, status: Status) -> list[Finding]:
        """The findings of one status."""
        return [finding for finding in self.findings if finding.status == status]


def ok(name: str, message: str) -> list[Finding]:
    """A check that found nothing to mend."""
    return [Finding(name, "ok", message)]


def warning(name: str, message: str, remedy: str) -> list[Finding]:
    """A check that found what may be wrong."""
    return [Finding(name, "warning", message, remedy)]


def failed(name: str, message: str, remedy: str) -> list[Finding]:
    """A check that found what is wrong."""
    return [Finding(name, "failed", message, remedy)]


def skipped(name: str, reason: str) -> list[Finding]:
    """A check that does not apply, and why."""
    return [Finding(name, "skipped", reason)]
