import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from marks import slow_but

from segmenter.errors import ConfigError
from segmenter.home import HOME
from segmenter.overrides import check_overrides, quoted
from segmenter.settings import LaunchJob, parse


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


CONFS = [
    (["engine.conf.spark.driver.memory=6g"], {"spark.driver.memory": "6g"}),
    (["+engine.conf.spark.driver.memory=6g"], {"spark.driver.memory": "6g"}),
    (["++engine.conf.spark.driver.memory=6g"], {"spark.driver.memory": "6g"}),
    (["engine.conf={spark.driver.memory: 6g, spark.x.y: 3}"], {"spark.driver.memory": "6g", "spark.x.y": 3}),
    (["engine.conf={spark: {driver: {memory: 6g}}}"], {"spark.driver.memory": "6g"}),
    (["engine.conf.spark.speculation=true", "engine.conf.spark.speculation.interval=1s"], None),
    (["engine.conf.spark.a=http://host:90/x,y"], {"spark.a": "http://host:90/x,y"}),
    (['engine.conf.spark.a=-Xss4m -Dx="a b"'], {"spark.a": '-Xss4m -Dx="a b"'}),
    (["engine.conf.spark.a='x, y'"], {"spark.a": "x, y"}),
    (["engine.conf.spark.a="], {"spark.a": ""}),
    (["engine.conf.spark.a=C:\\jars\\"], {"spark.a": "C:\\jars\\"}),
]


@pytest.mark.parametrize(
    ("arguments", "conf"),
    slow_but(CONFS, CONFS[0], CONFS[3], CONFS[5]),
)
def test_spark_s_settings_have_dots_in_their_names(arguments, conf):
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        config = compose("launch", overrides=["engine=spark", *map(quoted, arguments)])
    settings = parse(LaunchJob, config)
    assert settings.engine.conf == (conf or {"spark.speculation": True, "spark.speculation.interval": "1s"})


def test_a_sweep_over_chinese_words_stays_a_sweep():
    assert quoted("launch.name=春,夏", sweep=True) == 'launch.name="春","夏"'
    assert quoted("seed=1,2", sweep=True) == "seed=1,2"
    assert quoted("engine.conf.spark.a=1,2", sweep=True) == "++engine.conf.spark.a=1,2"


def test_other_words_pass():
    assert [quoted(word) for word in ("--help", "-m", "foo", "--config-dir=目录")] == ["--help", "-m", "foo", "--config-dir=目录"]


def test_what_nobody_means_is_refused_all_at_once():
    with pytest.raises(ConfigError) as refused:
        check_overrides(["a=1", "b=\0", "c._target_=os.system"])
    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["b=\\0", "c._target_=os.system"]
    with pytest.raises(ConfigError, match="at most 1,000 overrides"):
        check_overrides(["a=1"] * 1_001)
