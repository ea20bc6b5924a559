import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader

from segmenter.home import HOME
from segmenter.yaml_loader import quick_loader, read_yaml


@pytest.mark.parametrize("file", sorted((HOME / "conf").rglob("*.yaml")), ids=lambda file: str(file.relative_to(HOME / "conf")))
def test_our_files_say_the_same_as_to_omegaconf(file):
    expected = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    assert repr(read_yaml(file) or {}) == repr(expected)


scalars = st.sampled_from(["1e5", "1.5", "010", "0x1f", "2026-07-01", "off", "null", "~", "1_000", "12:30", "'1'", ".inf", "words"])


@given(
    st.dictionaries(
        st.sampled_from("abcde"), scalars | st.just("${launch.name}") | st.lists(scalars).map(lambda some: f"[{', '.join(some)}]")
    )
)
def test_any_value_is_read_as_omegaconf_reads_it(values):
    text = "\n".join(f"{key}: {value}" for key, value in values.items())
    assert repr(yaml.load(text, quick_loader())) == repr(yaml.load(text, get_yaml_loader()))


def test_a_key_that_is_given_twice_is_refused():
    with pytest.raises(yaml.YAMLError):
        yaml.load("a: 1\na: 2", quick_loader())
