"""Files of sweeps: parameters of any path and distribution, over a base of their own or in a file."""

from itertools import islice
from pathlib import Path

from fuzzing.case import Case
from fuzzing.kinds.config import BASE, overrides, wild_run
from fuzzing.kinds.config import words as words
from fuzzing.schema import schema, wild
from fuzzing.yaml_text import texts
from hypothesis import strategies as st

PATHS = ["optimizer.lr", "model.hidden", "model.hidden[0]", "model.activation", "seed", "training.batch_size",
         "regularization.dropout", "dataset.transforms", "model", "plugins", "extends", "dataset.source.path"]  # fmt: skip


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def cases() -> st.SearchStrategy[Case]:
    """A file sweep.yaml, a base in base.yaml, and overrides."""
    return _cases()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    properties = dict(schema()["$defs"]["sweep"]["properties"])
    run = {key: wild().values(item, 1) for key, item in wild_run()["properties"].items()}
    base = st.just("base.yaml") | st.fixed_dictionaries(
        {"dataset": st.just({"source": "xor"}), "model": st.just("mlp") | run["model"]},
        optional={key: run[key] for key in ("optimizer", "plugins", "name")},
    )
    paths = st.sampled_from(PATHS) | overrides().map(lambda text: text.partition("=")[0])
    parameter = (
        st.just({"min": 0.01, "max": 0.1}) | st.just({"values": [1, 2]}) | wild().of("Parameter")
    )
    usual = st.just({"optimizer.lr": {"min": 0.01, "max": 0.1}})
    parameters = usual | st.dictionaries(paths, parameter, min_size=1, max_size=3)
    optional = {key: wild().values(item, 1) for key, item in properties.items()}
    required = {"base": base, "parameters": parameters, "trials": st.just(3) | optional["trials"]}
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), max_size=2, unique=True))
    value = st.fixed_dictionaries({key: optional[key] for key in chosen} | required)
    content = draw(texts(value)).encode(errors="surrogatepass")
    files = {"sweep.yaml": content, "base.yaml": BASE.encode()}
    sets = draw(st.just([]) | st.lists(overrides(), max_size=1))
    return Case("sweep", {"sets": sets}, files)


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or its first settings are known."""
    from nettrain.errors import ConfigError
    from nettrain.search.sweep.config import as_mapping, load_sweep

    sweep = load_sweep(folder / "sweep.yaml", case.arguments["sets"])
    as_mapping(sweep.spec)
    sweep.total()
    if sweep.spec.method == "grid":
        for setting in islice(sweep.space.grid(), 5):
            try:
                sweep.config(setting)
            except ConfigError:  # a setting that does not fit is a trial that is passed over
                continue
