import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nettrain.component import Record, to_mapping
from nettrain.config.dump import _Dumper, dump
from nettrain.config.load import load
from nettrain.config.yaml_text import read

rates = st.floats(min_value=1e-300, max_value=1e300, exclude_min=True)
shares = st.floats(min_value=0, max_value=0.49)
texts = st.text(min_size=1, max_size=20)

configs = st.fixed_dictionaries(
    {
        "dataset": st.fixed_dictionaries(
            {
                "source": st.just("digits"),
                "split": st.fixed_dictionaries({"validation": shares, "test": shares}),
            },
            optional={
                "transforms": st.none() | st.just(["standardize"]) | st.just([]),
                "limit": st.none() | st.integers(1, 10**6),
            },
        ),
        "model": st.fixed_dictionaries(
            {"type": st.just("mlp"), "hidden": st.lists(st.integers(1, 10**4), max_size=4)}
        ),
    },
    optional={
        "name": st.from_regex(r"[a-zA-Z0-9 _:#'\"~.é-]{3,20}", fullmatch=True),
        "seed": st.integers(0, 2**70),
        "dtype": st.sampled_from(["float32", "float64"]),
        "optimizer": st.fixed_dictionaries(
            {"type": st.sampled_from(["sgd", "momentum", "adam"]), "lr": rates | st.integers(1, 9)}
        ),
        "schedule": st.fixed_dictionaries(
            {"type": st.just("cosine"), "warmup": st.floats(0, 1e20)}
        ),
        "regularization": st.fixed_dictionaries(
            {"l1": st.floats(0, 1e10), "l2": st.floats(0, 1e-3)}
        ),
        "early_stopping": st.none()
        | st.fixed_dictionaries(
            {"min_delta": st.floats(0, 1), "monitor": st.just("validation_loss")}
        ),
    },
)


@settings(deadline=None)
@given(configs)
def test_a_dumped_config_loads_as_an_equal_one(tmp_path_factory, mapping):
    config = load(mapping)
    path = tmp_path_factory.getbasetemp() / "other.yaml"
    path.write_text(dump(config), encoding="utf-8")
    assert load(path) == config


@settings(deadline=None)
@given(
    st.floats()
    | texts
    | st.integers()
    | st.booleans()
    | st.none()
    | st.lists(st.floats() | texts, max_size=4)
)
def test_any_value_reads_back_with_its_type(value):
    text = yaml.dump({"key": value}, Dumper=_Dumper, allow_unicode=True, width=120)
    found = read(text, str).value["key"]
    assert repr(found) == repr(value)


@settings(deadline=None)
@given(texts)
def test_a_text_stays_a_text_for_readers_of_yaml_1_1(value):
    assert yaml.safe_load(
        yaml.dump({"key": value}, Dumper=_Dumper, allow_unicode=True, width=120)
    ) == {"key": value}


@pytest.mark.parametrize("value", [1e-4, 1e-5, 1e16, 1.0, 0.1, math.inf, -math.inf, 5e-324])
def test_floats_stay_floats(value):
    found = read(yaml.dump([value], Dumper=_Dumper), str).value[0]
    assert (found, type(found)) == (value, float)


def test_the_text_is_complete_ordered_and_has_lists_on_one_line():
    config = load({"dataset": {"source": "digits"}, "model": {"type": "mlp", "hidden": [64, 32]}})
    text = dump(config)
    assert "  hidden: [64, 32]\n" in text
    assert list(read(text, str).value) == list(to_mapping(config))
    assert "dropout: 0.0\n" in text


def test_every_section_of_the_config_is_written(tmp_path):
    config = load(
        {
            "dataset": {"source": "digits"},
            "model": {"type": "mlp", "hidden": []},
            "early_stopping": {},
        }
    )
    sections = {key for key, value in vars(config).items() if isinstance(value, Record)}
    written = read(dump(config), str).value
    for section in sections:
        assert set(vars(getattr(config, section))) <= set(written[section])
