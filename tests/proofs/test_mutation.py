"""Mutation testing itself: which mutants there are, that they take effect, how they end, what a record allows."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from types import ModuleType

import pytest

pytest.importorskip("mutmut")
pytest.importorskip("coverage")

from mutation import fork
from mutation.mutants import mutants_of
from mutation.record import Entry
from mutation.swap import compiled, functions_of, swap

pytestmark = pytest.mark.slow  # beside what mutmut brings


def written(folder, text):
    path = folder / "module.py"
    path.write_text(textwrap.dedent(text))
    return path


def changes(path):
    return [one.key.partition(": ")[2] for one in mutants_of(path, path.parent)]


@pytest.mark.parametrize(("line", "expected"), [
    ("return a + 1", ["return a - 1", "return a + 2"]),
    ("return a < b", ["return a <= b"]),
    ("a *= b", ["a = b", "a /= b"]),
    ("np.add(a, b, out=c)", ["pass"]),
    ("return min(a)", ["return max(a)", "return min(None)"]),
    ("return np.minimum(a)", ["return np.maximum(a)", "return np.minimum(None)"]),
    ("if a < b: pass", ["if a <= b: pass", "if not (a < b): pass"]),
    ("while a and b: pass", ["while a or b: pass", "while not (a and b): pass"]),
    ("if a == b: pass", ["if a != b: pass"]),
])  # fmt: skip
def test_what_is_changed(line, expected, tmp_path):
    path = written(tmp_path, f"def f(a, b, c, np):\n    {line}\n")
    assert {f"{line} => {new}" for new in expected} <= {*changes(path)}


@pytest.mark.parametrize("text", [
    '"""A docstring."""',
    'x: "int"',
    "def f(a: int | None) -> dict[str, 1]: pass",
    '@decorator(1)\ndef f():\n    """Nothing."""',
    'def f(): raise ValueError(f"{1 + 1}", 2, "text")',
    'Alias = dict[int, 1]',
    "__all__ = [1]",
    'def f(a): return f"{a + 1}"',
    "import a",
])  # fmt: skip
def test_what_is_left_out(text, tmp_path):
    assert changes(written(tmp_path, text)) == []


def test_the_strictness_of_zip_is_left_out(tmp_path):
    found = changes(written(tmp_path, "def f(a, b):\n    return zip(a, b, strict=True)\n"))
    assert {line.partition("=> ")[2] for line in found} == {
        "return zip(None, b, strict=True)",
        "return zip(a, None, strict=True)",
        "return zip(b, strict=True)",
        "return zip(a, strict=True)",
    }


def test_equal_changes_of_equal_lines_have_names_of_their_own(tmp_path):
    path = written(tmp_path, "def f(a):\n    a = -a\n    a = -a\n")
    keys = [one.key for one in mutants_of(path, tmp_path)]
    assert len(keys) == len({*keys}) and any(key.endswith("#2") for key in keys)
    path.write_text("\n\n# a comment\n" + path.read_text())
    assert [one.key for one in mutants_of(path, tmp_path)] == keys


MODULE = """
    import functools

    def decorated(f):
        @functools.wraps(f)
        def inner(*args):
            return f(*args)
        return inner

    class A:
        @property
        def value(self):
            return 1

        @decorated
        def twice(self, x):
            return [2 * y for y in x]

    def outer():
        def inner(x):
            return x - 3
        return inner

    kept = outer()

    def default(x=5):
        return x
"""


@pytest.mark.parametrize(("function", "old", "new", "call", "before", "after"), [
    ("A.value", "return 1", "return 2", lambda m: m.A().value, 1, 2),
    ("A.twice", "2 * y", "2 + y", lambda m: m.A().twice([5]), [10], [7]),
    ("outer", "x - 3", "x + 3", lambda m: (m.kept(5), m.outer()(5)), (2, 2), (8, 8)),
])  # fmt: skip
def test_a_mutant_takes_the_place_of_live_functions(
    function, old, new, call, before, after, tmp_path
):
    path = written(tmp_path, MODULE)
    source = path.read_bytes()
    module = ModuleType("module")
    exec(compiled(path, source), vars(module))
    assert call(module) == before
    mutated = compiled(path, source.replace(old.encode(), new.encode()))
    swap(function, functions_of({str(path)})[str(path)], compiled(path, source), mutated)
    assert call(module) == after


def test_a_default_value_belongs_to_the_module(tmp_path):
    functions = {
        one.key.partition("=> ")[2]: one.function
        for one in mutants_of(written(tmp_path, MODULE), tmp_path)
    }
    assert functions["def default(x=6):"] == "" and functions["return x + 3"] == "outer"


def ends(how, folder):
    if how == "loops":
        fork.limit_cpu(0.1)
        while True:
            pass
    if how == "sleeps":
        time.sleep(60)
    if how == "raises":
        raise RuntimeError
    if how == "crashes":
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / fork.NOTE).write_text(how)
    return {"survives": fork.SURVIVED, "is killed": fork.KILLED, "is none": fork.INVALID}[how]


@pytest.mark.parametrize(("how", "outcome"), [
    ("survives", "survived"),
    ("is killed", "killed"),
    ("is none", "invalid"),
    ("raises", "killed"),
    ("crashes", "killed"),
    ("loops", "timed out"),
    ("sleeps", "timed out"),
])  # fmt: skip
def test_how_a_mutant_ends(how, outcome, capfd):
    found = list(fork.outcomes([how], ends, jobs=1, wall=2.0))
    assert found == [
        (how, outcome, how if outcome in ("survived", "invalid") or how == "is killed" else "")
    ]


SPIN = "import time; end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"


def waits(how, folder):
    if how == "for a lock that it holds":
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    if how == "for a thread that waits for it":
        own = threading.current_thread()
        other = threading.Thread(target=own.join)
        other.start()
        other.join()
    if how == "for a process that computes":
        subprocess.run([sys.executable, "-c", SPIN], check=True)
    if how == "for a processor":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(3)]
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        exec(SPIN)
        for other in others:
            other.wait()
    if how == "briefly":
        time.sleep(0.2)
    return fork.SURVIVED


@pytest.mark.parametrize(("how", "outcome"), [
    ("for a lock that it holds", "timed out"),
    ("for a thread that waits for it", "timed out"),
    ("for a process that computes", "survived"),
    ("for a processor", "survived"),
    ("briefly", "survived"),
])  # fmt: skip
def test_what_waits_for_nothing_that_computes_has_timed_out(how, outcome, monkeypatch):
    monkeypatch.setattr(fork, "IDLE", 0.5)
    assert list(fork.outcomes([how], waits, jobs=1, wall=60.0)) == [(how, outcome, "")]


def test_what_a_function_returns_in_a_process_of_its_own():
    state = []
    assert fork.call(lambda: state.append(1) or [len(state), "text"]) == [1, "text"] and state == []
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        fork.call(functools.partial(divmod, 1, 0))
    assert "mutation" in sys.modules


def test_a_file_may_have_as_many_survivors_as_the_record_lists(tmp_path):
    mutants = mutants_of(written(tmp_path, "def f(a):\n    return a + 1\n"), tmp_path)
    keys = [one.key for one in mutants]
    assert Entry(survivors=keys).unknown(mutants, mutants) == []
    assert Entry(equivalent=dict.fromkeys(keys, "why")).unknown(mutants, mutants) == []
    assert Entry(survivors=keys[1:]).unknown(mutants, mutants) == keys[:1]
    assert (
        Entry(survivors=[*keys[1:], "module.py::f: a line that has changed"]).unknown(
            mutants, mutants
        )
        == []
    )
    assert (
        Entry(survivors=[*keys[1:], "other.py::f: a line that has changed"]).unknown(
            mutants, mutants
        )
        == keys[:1]
    )
