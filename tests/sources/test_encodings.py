"""Text in any encoding."""

import gzip
import hashlib
from pathlib import Path

import polars as pl
import pytest
from shop_files import ERP, ERP_ROWS, configured, problems, read, saved, values

from segmenter.sources.files import read_files


@pytest.mark.parametrize(
    ("encoding", "named", "read_as"),
    [
        ("utf-8", "auto", "utf-8"),
        ("utf-8-sig", "auto", "utf-8"),
        ("utf-16", "auto", "utf-16"),
        ("gb18030", "auto", "gb18030"),
        ("gbk", "auto", "gb18030"),
        ("gbk", "GBK", "gbk"),
        ("utf-16-le", "utf-16-le", "utf-16-le"),
        ("utf-8-sig", "utf-8", "utf-8"),
    ],
)
def test_an_erp_export_reads_the_same_in_every_encoding(tmp_path: Path, encoding: str, named: str, read_as: str) -> None:
    path = saved(tmp_path, "销售 明细.csv", ERP.encode(encoding))
    raw = read_files("orders", str(path), configured(encoding=named))
    assert raw.frame.columns == ["客户编号", "下单时间", "金额", "省份", "__file", "__row"]
    assert raw.frame.rows() == [(*row, "销售 明细.csv", number) for number, row in enumerate(ERP_ROWS, start=2)]
    (found,) = raw.fingerprints
    assert (found.name, found.size, found.read_as) == ("销售 明细.csv", path.stat().st_size, f"CSV, {read_as}, comma")
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_that_comes_late_and_across_reading_steps_is_found(tmp_path: Path, encoding: str) -> None:
    # Characters of several bytes stand on every kind of boundary of the 1 MiB steps.
    lines = [f"{number},{number}.5," for number in range(70_000)] + [f"{number},1,四川省成都市𠮷" for number in range(70_000, 120_000)]
    path = saved(tmp_path, "orders.csv", ("id,amount,place\n" + "\n".join(lines)).encode(encoding))
    frame = read(path)
    assert frame["place"].value_counts(sort=True).rows() == [(None, 70_000), ("四川省成都市𠮷", 50_000)]
    assert frame["id"].cast(pl.Int64).to_list() == list(range(120_000))


def test_other_encodings_are_read_only_where_one_alone_makes_sense(tmp_path: Path) -> None:
    taiwan = "客戶編號,金額,城市,備註\n1,20,臺北市中正區忠孝東路,訂單已完成\n2,30,高雄市,退款成功\n"
    assert values(read(saved(tmp_path, "tw.csv", taiwan.encode("big5"))))[1] == ("2", "30", "高雄市", "退款成功")
    spanish = saved(tmp_path, "es.csv", "Número,Año,señor,España,Córdoba,Málaga,Castellón\n".encode("cp1252"))
    message = problems(spanish)
    assert "es.csv: its encoding cannot be told (utf-8 fails at line 1" in message
    assert "cp1252" in message
    assert "data.encoding" in message
    german = saved(tmp_path, "de.csv", "name;amount\nKäse;1,5\n".encode("cp1252"))  # valid, but nonsense, as GB18030
    assert "gives no Chinese" in problems(german)
    assert values(read(german, encoding="cp1252")) == [("Käse", "1,5")]
    assert "its encoding cannot be told" in problems(saved(tmp_path, "euro.csv", "id,price\n1,€5\n".encode("cp1252") * 100))
    names = "Größe,Straße,Überweisung\nMüller,Königsallee,Düsseldorf\nGemüse,Bäcker,für\n"
    assert read(saved(tmp_path, "de.csv", names.encode("cp1252"))).columns[:2] == ["Größe", "Straße"]
    assert "begins with the byte order mark of utf-8" in problems(saved(tmp_path, "mark.csv", ERP.encode("utf-8-sig")), encoding="gb18030")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_with_one_broken_character_names_its_line(tmp_path: Path, encoding: str) -> None:
    content = ("客户编号,收货地址\n" + "".join(f"{number},四川省成都市武侯区\n" for number in range(30))).encode(encoding)
    cut = saved(tmp_path, "cut.csv", content + "99,广东".encode(encoding)[:-1] + b"\n")  # a field of fixed width cuts characters
    assert f"cut.csv: line 32 has bytes that are not {encoding}" in problems(cut)
    assert f"cut.csv: line 32 is not {encoding}" in problems(cut, encoding=encoding)
    late = saved(tmp_path, "late.csv", content * 3_000 + "99,广东".encode(encoding)[:-1] + b"\n")  # in the third step of 1 MiB
    assert f"late.csv: line 93,001 is not {encoding}" in problems(late, encoding=encoding)


@pytest.mark.parametrize(("text", "encoding"), [("+2AA-", "utf-7"), (r"\ud800", "unicode_escape"), ("é", "utf-16"), ("a", "undefined")])
def test_what_no_encoding_can_hold_names_its_line(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"customer_id\n{text}\n", encoding="utf-8")
    assert "a.csv: line 1 is not" in problems(path, encoding=encoding)


def test_gzip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmenter.sources.encodings._MAX_BYTES", 1 << 21)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"customer_id\n" + b"a\n" * (1 << 21), 1))
    assert "should unpack to at most" in problems(path)
