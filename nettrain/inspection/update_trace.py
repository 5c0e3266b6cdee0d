"""One update of an optimizer in numbers: its formula, the numbers put in, what comes out."""

import dataclasses
import re
from collections.abc import Iterator, Mapping

from nettrain.autodiff.primitive import Array
from nettrain.inspection.arithmetic import calculate
from nettrain.inspection.trace import Line, Section, Speller, element
from nettrain.optim import Rule

STATEMENT = re.compile(r"^\s*([A-Za-z]\w*'?)\s*(\+=|-=|=)\s*(.+)$")
CONDITION = re.compile(r"^(.+) if (\w+) > (\S+), else \w+'? (?:\+=|-=|=) (.+)$")
WORD = re.compile(r"[A-Za-z]\w*'?")
EXACT = Speller(digits=17)
# Rules that build on Adam's moments name them so; their statements stand in Adam.
AS_IN_ADAM = ("m, v as in Adam", "m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2")
# The letters of the formulas for fields and state whose names are words.
LETTERS = {
    "beta1": "b1",
    "beta2": "b2",
    "momentum_product": "P",
    "sum": "s",
    "velocity": "V",
}


@dataclasses.dataclass(frozen=True)
class Statement:
    """One assignment of an update rule: `m = b1 m + (1-b1) g`."""

    target: str
    sign: str
    expression: str

    def chosen(self, known: Mapping[str, float]) -> str:
        """The expression that holds for these numbers: `A if rho > 5, else w -= B` is A or B."""
        match = CONDITION.match(self.expression)
        if match is None:
            return self.expression
        first, name, bound, second = match.groups()
        return first if known[name] > float(bound) else second


@dataclasses.dataclass(frozen=True)
class Update:
    """What an update did to one parameter.

    Attributes:
        name: Of the parameter.
        before: Its values before the update.
        after: Its values after it.
        gradient: What the rule was given: clipped, with the gradient of the penalties.
        state_before: The rule's state of these elements, by name; scalars have one element.
        state_after: The same after the update.
        lr: The rate of this parameter in this step.
        t: The number of the step, from 1.
        decayed: Whether penalties and weight decay apply: to weights, not to biases.
    """

    name: str
    before: Array
    after: Array
    gradient: Array
    state_before: Mapping[str, Array]
    state_after: Mapping[str, Array]
    lr: float
    t: int
    decayed: bool = True


def statements(rule: Rule) -> list[Statement]:
    """The assignments in the first paragraph of a rule's docstring, in their order."""
    text = " ".join((type(rule).__doc__ or "").partition("\n\n")[0].split())
    assignments = [
        match.groups()
        for part in re.split(r";|\.\s", text.replace(*AS_IN_ADAM))
        if (match := STATEMENT.match(part))
    ]
    return [Statement(target, sign, right.rstrip(". ")) for target, sign, right in assignments]


def formula(rule: Rule) -> str:
    """The assignments of a rule on one line."""
    return ";  ".join(f"{s.target} {s.sign} {s.expression}" for s in statements(rule))


def spell_update(rule: Rule, update: Update, speller: Speller) -> Section:
    """The update of one parameter, element by element."""
    steps = statements(rule)
    indices = speller.indices(update.before.shape)
    lines = [line for index in indices for line in _lines(rule, steps, update, index, speller)]
    return Section(
        update.name.rpartition(".")[0],
        update.name,
        update.before.shape,
        tuple(lines),
        update.before.size - len(indices),
    )


def _lines(
    rule: Rule, steps: list[Statement], update: Update, index: tuple[int, ...], speller: Speller
) -> Iterator[Line]:
    def at(array: Array) -> float:
        return float(array[index] if array.shape == update.before.shape else array.reshape(-1)[0])

    known = _numbers(rule, update)
    known |= {"g": at(update.gradient), "w": at(update.before)}
    known |= {LETTERS.get(name, name): at(array) for name, array in update.state_before.items()}
    results = {LETTERS.get(name, name): at(array) for name, array in update.state_after.items()}
    results["w"] = at(update.after)
    for i, step in enumerate(steps):
        expression = step.chosen(known)
        spelled = _put_in(expression, known, speller)
        exact = calculate(_put_in(expression, known, EXACT))
        if step.sign != "=":
            start, sign = known[step.target], step.sign[0]
            spelled = f"{speller.operand(start)} {sign} {_bracketed(spelled)}"
            exact = None if exact is None else start + (exact if sign == "+" else -exact)
        final = step.target not in [later.target for later in steps[i + 1 :]]
        if final and step.target in results:
            exact = results[step.target]
        if exact is not None:
            known[step.target] = exact
            target = update.name if step.target == "w" else step.target
            yield Line(element(target, index), spelled, exact)


def _numbers(rule: Rule, update: Update) -> dict[str, float]:
    """The rule's fields by the letters of its formula, its rate and the number of the step."""
    numbers = {
        LETTERS.get(name, name): value
        for name, value in vars(rule).items()
        if isinstance(value, int | float)
    }
    if "weight_decay" in numbers and not update.decayed:
        numbers["weight_decay"] = 0
    return numbers | {"lr": update.lr, "t": update.t}


def _put_in(expression: str, known: Mapping[str, float], speller: Speller) -> str:
    """The expression with numbers for the names that are known, and `*` between factors."""

    def number(match: re.Match[str]) -> str:
        word = match.group()
        return speller.operand(known[word]) if word in known else word

    return re.sub(r"(?<=[\w.)]) (?=[\w(])", " * ", WORD.sub(number, expression))


def _bracketed(expression: str) -> str:
    """The expression in brackets where a sum would otherwise be taken apart."""
    return f"({expression})" if re.search(r" [+-] ", expression) else expression
