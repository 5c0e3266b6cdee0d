"""Known vulnerabilities of what is installed beside this Python, as pip-audit knows them.

python tests/proofs/audit.py          exit code 1 if there are any; 0, and a word, where none can be looked up
"""

import json
import subprocess
import sys


def main() -> int:
    """Ask, and tell."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    known = [one for one in packages if "skip_reason" not in one]
    if not known:
        print("skipped: the list of known vulnerabilities is not to be reached from here")
        return 0
    found = [(one["name"], one["version"], flaw) for one in known for flaw in one["vulns"]]
    for name, version, flaw in found:
        print(f"{name} {version}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or '-'}")
    print(f"{len(known)} packages looked up, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
