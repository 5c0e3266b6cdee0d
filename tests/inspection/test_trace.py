"""Every line of a trace says a calculation whose result is the number behind it."""

import ast
import math
import operator

import numpy as np
import pytest

from nettrain.component import names
from nettrain.inspection.computation_graph import record_graph
from nettrain.inspection.trace import Speller, back, forward
from nettrain.inspection.update_trace import Update, spell_update, statements
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer, Rule

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
FUNCTIONS = {
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
    "max": max,
    "sign": lambda x: float(np.sign(x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "absolute": abs,
}


def calculate(expression, named):
    """The number that an expression of a trace stands for, by Python's grammar, without running it."""

    def value(node):
        match node:
            case ast.Constant():
                return node.value
            case ast.BinOp():
                return OPERATORS[type(node.op)](value(node.left), value(node.right))
            case ast.UnaryOp():
                return OPERATORS[type(node.op)](value(node.operand))
            case ast.Call():
                return FUNCTIONS[node.func.id](*map(value, node.args))
            case ast.Subscript():
                return named[ast.unparse(node).replace("(", "").replace(")", "")]
        raise ValueError(ast.dump(node))

    return value(ast.parse(expression.replace("^", "**"), mode="eval").body)


EXACT = Speller(digits=17, elements=None, terms=None)


def network_of(*layers, shape):
    return Network([Layer.parse(layer) for layer in layers], shape, seed=0, dtype=np.float64)


def dense(units):
    return {"type": "dense", "units": units}


NETWORKS = {
    "one layer": [dense(3)],
    "sigmoid": [dense(4), "sigmoid", dense(3)],
    "tanh and relu": [dense(5), "tanh", dense(4), "relu", dense(3)],
}
LOSSES = {
    "cross_entropy": np.array([0, 2, 1]),
    "mse": np.arange(9.0).reshape(3, 3),
    "mae": np.arange(9.0).reshape(3, 3),
    "binary_cross_entropy": np.array([[0.0, 1, 0], [1, 1, 0], [0, 0, 1]]),
}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("layers", NETWORKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_line_can_be_recalculated(layers, loss, rows):
    network = network_of(*NETWORKS[layers], shape=(2,))
    x = np.random.default_rng(0).normal(size=(rows, 2))
    graph = record_graph(network, Loss.parse(loss), x, LOSSES[loss][:rows])
    lines = [line for s in [*forward(graph, EXACT), *back(graph, EXACT)] for line in s.lines]
    named = {line.target: line.result for line in lines}
    for line in lines:
        assert calculate(line.expression, named) == pytest.approx(line.result, rel=1e-12, abs=1e-15)


def test_every_parameter_and_input_has_its_gradient_in_the_trace():
    network = network_of(dense(4), "sigmoid", dense(3), shape=(2,))
    graph = record_graph(network, Loss.parse("mse"), np.ones((1, 2)), np.ones((1, 3)))
    targets = {section.formula.partition(" =")[0] for section in back(graph, EXACT)}
    assert targets >= {"d x", "d dense_1.w", "d dense_1.b", "d dense_2.w", "d dense_2.b"}


def test_the_2_2_2_2_network_of_sigmoid_units_gives_the_worked_numbers():
    network = network_of(dense(2), "sigmoid", dense(2), "sigmoid", dense(2), "sigmoid", shape=(2,))
    weights = {"dense_1": [[1, -2], [-1, 1]], "dense_2": [[2, -1], [-2, -1]]}
    weights["dense_3"] = [[3, -1], [-1, 4]]
    biases = {"dense_1": [1, 0], "dense_2": [0, 0], "dense_3": [-2, 2]}
    for name, w in weights.items():
        network.vector.views[f"{name}.w"][...] = np.array(w).T
        network.vector.views[f"{name}.b"][...] = biases[name]
    graph = record_graph(network, Loss.parse("mse"), np.array([[1.0, -1.0]]), np.zeros((1, 2)))
    shown = [
        Speller(digits=2).number(line.result)
        for section in forward(graph, Speller(digits=2))
        for line in section.lines
        if "sigmoid(" in line.expression
    ]
    assert shown == ["0.98", "0.12", "0.86", "0.11", "0.62", "0.83"]


def test_large_layers_are_abridged_and_say_by_how_much():
    network = network_of(dense(50), shape=(100,))
    graph = record_graph(network, Loss.parse("mse"), np.ones((1, 100)), np.zeros((1, 50)))
    first = forward(graph, Speller(elements=4, terms=3))[0]
    assert (len(first.lines), first.omitted) == (4, 46)
    assert "... (97 more terms)" in first.lines[0].expression


def test_an_operation_without_a_spelling_shows_its_formula_and_its_numbers():
    layers = [{"type": "conv", "filters": 2, "kernel": 3}, "flatten", dense(2)]
    network = network_of(*layers, shape=(5, 5, 1))
    graph = record_graph(network, Loss.parse("mse"), np.ones((1, 5, 5, 1)), np.zeros((1, 2)))
    convolution = forward(graph, EXACT)[0]
    assert "sum_ijc" in convolution.formula
    assert {line.expression for line in convolution.lines} == {""}
    assert np.isfinite([line.result for line in convolution.lines]).all()


RULES = [name for name in names(Optimizer) if isinstance(Optimizer.parse(name), Rule)]


@pytest.mark.parametrize("steps", [1, 3, 9])
@pytest.mark.parametrize("name", RULES)
def test_every_line_of_an_update_can_be_recalculated(name, steps):
    rule = Optimizer.parse(name)
    chance = np.random.default_rng(0)
    w, state = chance.normal(size=3), rule.state(3, np.float64)
    for t in range(1, steps + 1):
        before, before_state = w.copy(), {key: slot.copy() for key, slot in state.items()}
        g = chance.normal(size=3)
        rule.advance(state, t)
        w *= rule.decay(rule.lr)
        work = [np.empty(3) for _ in range(max(1, rule.work))]
        rule.update(w, g.copy(), state, work, lr=rule.lr, t=t)
    update = Update("w", before, w, g, before_state, state, rule.lr, steps)
    lines = spell_update(rule, update, EXACT).lines
    for line in lines:
        assert calculate(line.expression, {}) == pytest.approx(line.result, rel=1e-9)
    last = {line.target: line.result for line in lines}
    assert [last[f"w[{i}]"] for i in range(3)] == list(w)
    undefined = name == "radam" and steps == 3  # r is the root of a negative number
    assert len(lines) == 3 * (len(statements(rule)) - undefined)


def test_weight_decay_is_left_out_where_a_parameter_does_not_decay():
    rule = Optimizer.parse({"type": "lion", "weight_decay": 0.5})
    w, zero = np.ones(1), {"m": np.zeros(1)}
    update = Update("b", w, w, w, zero, zero, 0.1, 1, decayed=False)
    assert spell_update(rule, update, Speller()).lines[0].expression == "1 - 0.1 * 0 * 1"
