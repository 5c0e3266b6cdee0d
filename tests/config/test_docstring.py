"""Docstrings in Google style, in their parts."""

from nettrain.config.docstring import Docstring
from nettrain.config.explanation import details_of

TEXT = """Adam. m = b1 m + (1-b1) g;
w -= lr m.

The first free paragraph.

Attributes:
    beta1: decay rate of the first moment,
        a number in [0, 1).
    slots (tuple): names of
        the state vectors.

Raises:
    ConfigError: without a validation part.

Example:
    optimizer: {type: adam}

A last paragraph: with a colon.
"""


def test_the_parts_are_told_apart():
    found = Docstring.parse(TEXT)
    assert found.summary == "Adam. m = b1 m + (1-b1) g; w -= lr m."
    assert found.details == "The first free paragraph.\n\nA last paragraph: with a colon."
    assert found.sections["Example"] == "optimizer: {type: adam}"
    assert found.entries("Attributes") == {
        "beta1": "decay rate of the first moment, a number in [0, 1).",
        "slots": "names of the state vectors.",
    }
    assert found.entries("Args") == {}


def test_yaml_users_are_spared_what_is_for_programmers():
    text = details_of(Docstring.parse(TEXT))
    assert "slots" not in text
    assert "Raises:\nConfigError: without a validation part." in text and "Example:\n" in text


def test_a_class_without_docstring_does_not_show_that_of_its_base():
    class Base:
        """Of the base."""

    class Derived(Base):
        pass

    assert Docstring.of(Derived) == Docstring("")
    assert Docstring.of(Base) == Docstring("Of the base.")
