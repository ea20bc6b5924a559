import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from segmenter.errors import ConfigError
from segmenter.overrides import check_overrides, quoted


@pytest.mark.parametrize(
    ("argument", "sweep", "value"),
    [
        ("a=1000", False, 1000),
        ("a=[United Kingdom]", False, ["United Kingdom"]),
        ("a=[四川省,重庆市]", False, ["四川省", "重庆市"]),
        ("a=[四川/成都, 云 南]", False, ["四川/成都", "云 南"]),
        ("a=药店 VIP 群", False, "药店 VIP 群"),
        ("a=四川：药店, VIP", False, "四川：药店, VIP"),
        ("a='四川'", False, "四川"),
        ("a=Quantity * UnitPrice", False, "Quantity * UnitPrice"),
        ("a=InvoiceNo NOT LIKE 'C%'", False, "InvoiceNo NOT LIKE 'C%'"),
        ('a="状态" = \'退款 "全额"\'', False, '"状态" = \'退款 "全额"\''),
        ("a=[{name: 大客户, keep: 'spend > 3'}]", False, [{"name": "大客户", "keep": "spend > 3"}]),
        ("a=C:\\exports\\orders.csv", False, "C:\\exports\\orders.csv"),
    ],
)
def test_what_a_person_types_reaches_the_config(argument, sweep, value):
    parsed = OverridesParser.create().parse_override(quoted(argument, sweep=sweep))
    assert parsed.key_or_group == "a"
    found = parsed.value()
    assert (found.text if hasattr(found, "text") else plain(found)) == value


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return getattr(value, "text", value)


def test_a_sweep_over_chinese_words_stays_a_sweep():
    assert quoted("launch.name=春,夏", sweep=True) == 'launch.name="春","夏"'
    assert quoted("seed=1,2", sweep=True) == "seed=1,2"


def test_other_words_pass():
    assert [quoted(word) for word in ("--help", "-m", "foo", "--config-dir=目录")] == ["--help", "-m", "foo", "--config-dir=目录"]


def test_what_nobody_means_is_refused_all_at_once():
    with pytest.raises(ConfigError) as refused:
        check_overrides(["a=1", "b=\0", "c._target_=os.system"])
    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["b=\\0", "c._target_=os.system"]
    with pytest.raises(ConfigError, match="at most 1,000 overrides"):
        check_overrides(["a=1"] * 1_001)
