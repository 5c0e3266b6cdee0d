"""The process that makes inputs of one kind by coverage: libFuzzer, by way of atheris, changes sound and unsound ones.

    python -m fuzzing.guided KIND SEED COUNT SECONDS SCRATCH

The grammar of the kind makes the first inputs. What libFuzzer changes is one file of an input, or one
override; it keeps a change that reaches lines or comparisons of nettrain that none did before.
`fuzz.py KIND --guided` starts and watches this process; it prints the same lines as `worker` does.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from fuzzing.case import Case
from fuzzing.containers import parts, with_part

PACKAGE = Path(__file__).parents[3] / "nettrain"
# Rooms that read no files: numbers alone pass through them, and Numba compiles some of their functions.
LEFT_OUT = ("autodiff", "optim", "losses", "activations", "initializers", "schedules", "layers", "metrics", "augmentations")  # fmt: skip
SEEDS = 400  # inputs of the grammar to begin with
REPORT = 300  # inputs between two reports
SHRINKING = 10.0  # seconds for making a failing input smaller
LONGEST = 100_000  # bytes of one changed file
LONGEST_WORD = 64  # bytes, libFuzzer's own bound
HEAD = 4  # bytes before the content: which input it is put into, and in place of what


Place = (
    tuple[str, str] | int
)  # a file and a part of it ("": all of it), or the number of an override


def places(case: Case) -> dict[Place, bytes]:
    """What of an input is changed, and its content."""
    found: dict[Place, bytes] = {}
    for name, content in case.files.items():
        if isinstance(content, bytes):
            found[name, ""] = content
            found |= {(name, part): inner for part, inner in parts(content).items()}
    for number, text in enumerate(case.arguments.get("sets", ())):
        found[number] = text.encode(errors="surrogatepass")
    return found


def with_content(case: Case, place: Place, content: bytes) -> Case:
    """The input with another content at a place."""
    if isinstance(place, int):
        sets = list(case.arguments["sets"])
        sets[place] = content.decode(errors="replace")
        return replace(case, arguments=case.arguments | {"sets": sets})
    name, part = place
    if part:
        whole = case.files[name]
        assert isinstance(whole, bytes)
        content = with_part(whole, part, content)
    return replace(case, files=case.files | {name: content})


class Changes:
    """Inputs as libFuzzer sees them: the number of a first input, that of a place in it, and the bytes there.

    Args:
        first: The first inputs; those without a place are left out.
    """

    def __init__(self, first: list[Case]) -> None:
        self._first = [(case, list(found)) for case in first if (found := places(case))]

    def sound(self) -> Iterator[bytes]:
        """The first inputs, once for each place."""
        for number, (case, _) in enumerate(self._first):
            for place, content in enumerate(places(case).values()):
                yield number.to_bytes(2, "big") + place.to_bytes(2, "big") + content

    def case(self, data: bytes) -> Case:
        """The input that some bytes stand for: any bytes stand for one."""
        case, found = self._first[int.from_bytes(data[:2], "big") % len(self._first)]
        place = found[int.from_bytes(data[2:HEAD], "big") % len(found)]
        return with_content(case, place, data[HEAD:])


def shortened(data: bytes, fails: Callable[[bytes], bool], seconds: float) -> bytes:
    """The bytes without the pieces that a fault does not need, as far as the time allows."""
    end = time.monotonic() + seconds
    size = max(len(data) // 2, 1)
    while size:
        at = HEAD
        while at < len(data) and time.monotonic() < end:
            shorter = data[:at] + data[at + size :]
            if fails(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data


def dictionary(words: Iterable[str]) -> str:
    """The file that tells libFuzzer what to put in, beside bytes."""
    coded = (word.encode(errors="surrogatepass") for word in words)
    return "".join(
        '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'
        for word in dict.fromkeys(coded)
        if 0 < len(word) <= LONGEST_WORD
    )


def left_out() -> list[str]:
    """The modules of the rooms that read no files."""
    modules = []
    for room in LEFT_OUT:
        for path in (PACKAGE / room).rglob("*.py"):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            modules.append(".".join(parts).removesuffix(".__init__"))
    return [*modules, "nettrain.jit"]


def main() -> None:
    """Try changed inputs until a bound is reached; libFuzzer ends the process."""
    import atheris  # from here alone: the rest of this file needs none

    what, first, count, seconds, folder = sys.argv[1:]
    with atheris.instrument_imports(include=["nettrain"], exclude=left_out()):
        _fuzz(what, int(first), int(count), float(seconds), Path(folder), atheris)


def _fuzz(
    what: str, first: int, count: int, seconds: float, folder: Path, atheris: ModuleType
) -> None:
    # imported here, as all of nettrain, so that it counts what it reaches
    from fuzzing.attempt import Fault, described
    from fuzzing.worker import Tally, drawn, prepared

    kind, attempts = prepared(what, folder)
    tally = Tally()
    known: set[str] = set()
    changes = Changes(drawn(kind, first, SEEDS))

    def broken(case: Case) -> Fault | None:
        try:
            tally.add(attempts.attempt(case))
        except Fault as fault:
            tally.inputs += 1
            return fault
        return None

    def tried(data: bytes) -> None:
        fault = broken(changes.case(data))
        if fault is not None and fault.signature not in known:
            known.add(fault.signature)

            def fails(shorter: bytes) -> bool:
                again = broken(changes.case(shorter))
                return again is not None and again.signature == fault.signature

            case = changes.case(shortened(data, fails, SHRINKING))
            print(described(case, broken(case) or fault), flush=True)
        if tally.inputs % REPORT == 0 or fault is not None:
            print(json.dumps(tally.counts()), flush=True)

    corpus = folder / "corpus"
    corpus.mkdir()
    longest = HEAD
    for number, data in enumerate(changes.sound()):
        (corpus / str(number)).write_bytes(data)
        longest = max(longest, len(data))
    words = dictionary(getattr(kind, "words", list)())
    if words:
        (folder / "words").write_text(words, encoding="ascii")
    options = {
        "seed": first % 2**31 or 1,
        "runs": count,
        "max_total_time": max(int(seconds), 1),
        "max_len": min(longest + longest // 4, LONGEST),
        "len_control": 0,  # a short file is no sound one
        "rss_limit_mb": 0,  # the attempts have limits of their own
        "timeout": 10**6,  # and the watching process
        "handle_int": 0,  # nettrain handles these itself
        "handle_term": 0,
        "artifact_prefix": f"{folder}/own/",
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    if words:
        arguments.append(f"-dict={folder}/words")
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], tried)
    atheris.Fuzz()  # ends the process, without a word of the inputs since the last report


if __name__ == "__main__":
    main()
