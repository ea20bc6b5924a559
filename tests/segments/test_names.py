import itertools

from segmenter.report.language import translate
from segmenter.segments import PROFILED
from segmenter.segments.names import names


def test_names_differ_however_alike_the_segments_are():
    base = dict.fromkeys(PROFILED, 100.0)
    rich = base | {"spend": 123_456.0, "orders": 3.0}
    large = rich | {"average_order": 900.0}
    called = names([large, rich, rich, rich | {"spend": 990_000.0}, base], base, "CNY")
    assert called == [
        "big spenders, few orders, large orders",
        "big spenders, few orders, about 1,234 CNY, no. 2",
        "big spenders, few orders, about 1,234 CNY, no. 3",
        "big spenders, few orders, about 9,900 CNY",
        "mid spenders",
    ]
    chinese = [translate(name, "zh") for name in called]
    assert len(set(chinese)) == len(called)
    assert [name.count("、") for name in chinese] == [name.count(", ") for name in called]
    levels = [
        base | {"spend": spend, "orders": orders} for spend, orders in itertools.product((10.0, 100.0, 900.0), (0.0, 1.0, 100.0, 300.0))
    ]
    assert len(set(names(levels, base, "JPY"))) == len(levels)
