"""One update of an optimizer in numbers: its formula, the numbers put in, what comes out."""

import dataclasses
import re
from collections.abc import Iterator, Mapping

from nettrain.autodiff.primitive import Array
from nettrain.inspection.arithmetic import calculate
from nettrain.inspection.trace import Line, Section, Speller, element
from nettrain.optim import Rule

STATEMENT = re.compile(r"^\s*([A-Za-z]\w*'?)\s*(\+=|-=|=)\s*(.+)$")
WORD = re.compile(r"[A-Za-z]\w*'?")
# The letters of the formulas for fields and state whose names are words.
LETTERS = {
    "beta1": "b1",
    "beta2": "b2",
    "momentum_decay": "psi",
    "momentum_product": "P",
    "sum": "s",
    "velocity": "V",
}
EXACT = Speller(digits=17)
# Rules that build on Adam's moments name them so; the statements are put in here.
AS_IN_ADAM = ("m, v as in Adam", "m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2")


@dataclasses.dataclass(frozen=True)
class Statement:
    """One assignment of an update rule: `m = b1 m + (1-b1) g`."""

    target: str
    sign: str
    expression: str


def statements(rule: Rule) -> list[Statement]:
    """The assignments in the first paragraph of a rule's docstring, in their order."""
    text = " ".join((type(rule).__doc__ or "").partition("\n\n")[0].split())
    text = text.replace(*AS_IN_ADAM)
    found = []
    for part in re.split(r";|\.\s|:\s", text):
        match = STATEMENT.match(part)
        if match is not None:
            target, sign, expression = match.groups()
            found.append(Statement(target, sign, expression.rstrip(". ")))
    return found


def spell_update(
    rule: Rule,
    name: str,
    before: Array,
    after: Array,
    gradient: Array,
    state_before: Mapping[str, Array],
    state_after: Mapping[str, Array],
    *,
    lr: float,
    t: int,
    speller: Speller,
) -> Section:
    """The update of one parameter, element by element.

    Args:
        rule: The optimizer.
        name: The parameter's name.
        before: Its values before the update.
        after: Its values after it.
        gradient: What the rule was given: clipped, with the gradient of the penalties.
        state_before: The rule's state of these elements, by name; scalars have one element.
        state_after: The same after the update.
        lr: The rate of this parameter in this step.
        t: The number of the step, from 1.
        speller: How numbers are written.
    """
    steps = statements(rule)
    fields = {f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)}
    numbers = {LETTERS.get(key, key): value for key, value in fields.items()}
    numbers |= {"lr": lr, "t": t}
    indices = speller.indices(before.shape)

    def at(array: Array, index: tuple[int, ...]) -> float:
        return float(array[index] if array.shape == before.shape else array.reshape(-1)[0])

    def lines() -> Iterator[Line]:
        for index in indices:
            known = {k: float(v) for k, v in numbers.items() if isinstance(v, int | float)}
            known |= {"g": at(gradient, index), "w": at(before, index)}
            known |= {LETTERS.get(k, k): at(array, index) for k, array in state_before.items()}
            results = {LETTERS.get(k, k): at(array, index) for k, array in state_after.items()}
            for i, step in enumerate(steps):
                spelled = _put_in(step.expression, known, speller)
                exact = calculate(_put_in(step.expression, known, EXACT))
                if step.sign != "=":
                    start = known[step.target]
                    spelled = f"{speller.operand(start)} {step.sign[0]} {_bracketed(spelled)}"
                    exact = (
                        None if exact is None else start + (exact if step.sign == "+=" else -exact)
                    )
                final = step.target not in [later.target for later in steps[i + 1 :]]
                if step.target == "w" and final:
                    exact = at(after, index)
                elif step.target in results and final:
                    exact = results[step.target]
                if exact is not None:
                    known[step.target] = exact
                    target = name if step.target == "w" else step.target
                    yield Line(element(target, index), spelled, exact)

    formula = ";  ".join(f"{s.target} {s.sign} {s.expression}" for s in steps)
    return Section(
        name.partition(".")[0],
        f"{name}: {formula}",
        before.shape,
        tuple(lines()),
        before.size - len(indices),
    )


def _put_in(expression: str, known: Mapping[str, float], speller: Speller) -> str:
    """The expression with numbers for the names that are known, and `*` between factors."""

    def number(match: re.Match[str]) -> str:
        word = match.group()
        return speller.operand(known[word]) if word in known else word

    numbered = WORD.sub(number, expression)
    return re.sub(r"(?<=[\w.)]) (?=[\w(])(?!\s)", " * ", numbered)


def _bracketed(expression: str) -> str:
    """The expression in brackets where a sum would otherwise be taken apart."""
    return f"({expression})" if re.search(r" [+-] ", expression) else expression
