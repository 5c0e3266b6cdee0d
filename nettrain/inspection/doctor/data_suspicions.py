"""What is suspicious about the data, as `nettrain check` tells it: errors and warnings."""

from nettrain.inspection.data_profile.profile import profile_data
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.doctor.finding import Finding, Status, ok
from nettrain.inspection.doctor.setup import Setup

NAME = "data"
_STATUS: dict[str, Status] = {"error": "failed", "warning": "warning"}


def check(setup: Setup) -> list[Finding]:
    """One finding per suspicion; notes are counted."""
    profile = profile_data(
        setup.config, data=setup.data, pipeline=setup.run.pipeline, loader=setup.loader
    )
    findings = [_finding(one) for one in profile.suspicions if one.severity in _STATUS]
    notes = len(profile.suspicions) - len(findings)
    if findings:
        return findings
    more = f"; {notes} note{'s' * (notes != 1)} (nettrain check)" if notes else ""
    return ok(NAME, f"{profile.rows:,} rows, nothing suspicious{more}")


def _finding(suspicion: Suspicion) -> Finding:
    name = f"{NAME}: {suspicion.name.replace('_', ' ')}"
    return Finding(name, _STATUS[suspicion.severity], suspicion.message, suspicion.remedy)
