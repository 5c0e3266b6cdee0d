"""The gallery of the examples, configs/README.md: it names every example, and every picture is there and small."""

import re
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs"
GALLERY = CONFIGS / "README.md"
EXAMPLES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))
MOST_BYTES = 60_000


def pictures(file):
    return [
        file.parent / link
        for link in re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_gallery_names_every_example_with_its_command(example):
    text = GALLERY.read_text(encoding="utf-8")
    assert f"]({example})" in text and f"configs/{example}" in text


def test_every_example_has_a_small_picture():
    found = pictures(GALLERY)
    assert len(found) == len(EXAMPLES)
    for picture in found:
        assert picture.read_bytes().startswith(b"\x89PNG"), picture
        assert picture.stat().st_size < MOST_BYTES, picture


def test_readme_shows_a_picture_first():
    (picture,) = pictures(CONFIGS.parent / "README.md")
    assert picture.is_file() and picture.stat().st_size < MOST_BYTES
    assert (CONFIGS.parent / "README.md").read_text(encoding="utf-8").index(".png") < 2500
