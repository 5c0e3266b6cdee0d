"""Processes of nettrain that are killed, or whose system calls fail, and what they leave."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "shared"))  # what these share with the tests
