"""Contacts planted in every column of every table stand in the call sheets and in no other output of any job."""

import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import exit_code
from marks import slow_but

import segmenter
from segmenter.contacts import Contacts, hide, is_contact_name, looks_like_contact, shape, shown_columns, shown_sql
from segmenter.errors import InputError
from segmenter.ledger import list_invitations, open_ledger
from segmenter.themes import THEMES

# Names, addresses and WeChat ids are known by the customers table, the others by their look.
NAME, WECHAT, ADDRESS = "欧阳明月", "lily_1990_cd", "武侯区桐梓林"
SECRETS = [
    *("13812345671", "+86 138 1234 5672", "(028) 8612-3451", "１３９１２３４５６７３", "+1 555 123 4674"),
    *("li.mei@mail.example", "wxid_k3j4h5g6", "微信号：kitty_cat8", "QQ87654321", "51010119900307123X", "春熙路18号2栋3单元"),
    *(NAME, WECHAT, ADDRESS, f"给{NAME}送去", "Zhang Weiwei"),
]
IDS = [f"C{place:03}" for place in range(40)]
ORDERS = ["customer_id", "order_id", "time", "amount", "currency", "province", "city", "category", "收货人", "备注"]
CUSTOMERS = ["customer_id", "name", "phone", "微信", "地址", "province", "city", "joined", "do_not_contact", "blocked", "staff", "level"]
EVENTS, REFERRALS = ["customer_id", "kind", "time", "note"], ["customer_id", "friend_id", "time", "remark"]
APPLICANTS = ["customer_id", "name", "手机", "province", "city", "time", "channel", "level"]
VISITS, TIES = ["time", "uv", "pv"], ["from_id", "to_id", "weight", "time"]


def planted(columns: list[str], good: list[list[str]], keep: tuple[str, ...] = ()) -> list[list[str]]:
    """Rows, and for each column some more with a secret in it."""
    rows = list(good)
    for place, column in enumerate(columns):
        for at, secret in enumerate(() if column in keep else SECRETS):
            row = list(good[(7 * place + at) % len(good)])
            row[place] = secret
            rows.append(row)
    return rows


def csv(path: Path, columns: list[str], rows: list[list[str]], *broken: str) -> None:
    lines = [",".join(columns), *(",".join(f'"{cell}"' for cell in row) for row in rows), *broken]
    path.write_text("\n".join(lines), encoding="utf-8")


def frames() -> dict[str, tuple[list[str], list[list[str]]]]:
    days = [f"2026-0{1 + place % 6}-{1 + place % 27:02}" for place in range(200)]
    where = [("四川省", "成都市"), ("云南省", "昆明市")]
    orders = [
        [IDS[at % 40], f"o{at}", days[at], f"{10 + at % 90}", "CNY", *where[at % 2], "茶", f"收货{at % 40}", "x"] for at in range(200)
    ]
    known, rest = {0: NAME, 1: "Zhang Weiwei"}, ["四川省", "成都市", "2025-01-01", "0", "0", "0", "gold"]
    customers = [
        [each, known.get(at, f"客户{at}"), f"1370000{at:04}", f"wx_{at}_abc" if at else WECHAT, f"某地{at}" if at else ADDRESS, *rest]
        for at, each in enumerate(IDS)
    ]
    # Whose row is spoilt is another customer, so that the table holds the first of them as they are.
    extra = planted(CUSTOMERS, customers[2:], keep=("customer_id",))[len(customers) - 2 :]
    customers += [[f"D{at:03}", *row[1:]] for at, row in enumerate(extra)]
    people = [[f"N{at:03}", f"新客{at}", f"1390000{at:04}", *where[at % 2], "2026-06-01", "海报", "new"] for at in range(20)]
    applicants = [[f"N{at:03}", *row[1:]] for at, row in enumerate(planted(APPLICANTS, people, keep=("customer_id",)))]
    return {
        "orders": (ORDERS, planted(ORDERS, orders)),
        "customers": (CUSTOMERS, customers),
        "events": (EVENTS, planted(EVENTS, [[each, "visit", "2026-05-02", ""] for each in IDS])),
        "referrals": (REFERRALS, planted(REFERRALS, [[each, IDS[at - 1], "2026-05-02", ""] for at, each in enumerate(IDS)])),
        "applicants": (APPLICANTS, applicants),
        "visits": (VISITS, planted(VISITS, [[f"2026-05-{1 + at:02}", "3", "5"] for at in range(30)], keep=("uv", "pv"))),
        "ties": (TIES, planted(TIES, [[each, IDS[at - 1], "2", "2026-05-02"] for at, each in enumerate(IDS)])),
    }


DATA = [
    *(
        "data.max_reject_share=1",
        "data.orders.grain=order",
        "data.customers.contact=[phone,微信,地址]",
        "data.applicants.contact=[手机]",
        "data.customers.attributes=[level]",
    ),
    *(
        "plan=allocated",
        "plan.topic=category",
        "plan.smallest=2",
        "plan.size=40",
        "segments.k=2",
        "segments.bootstraps=2",
        "launch.as_of=2026-07-01",
        "launch.name=tea",
    ),
    f"data.orders.where=\"备注 IS NULL OR 备注 <> '13712345678' OR 收货人 = '{NAME}'\"",
    f"rules.custom=[{{name: mine, keep: \"level <> '{SECRETS[0]}'\"}}]",
]
PATHS = [
    "data=files",
    *(f"data.{name}.path={name}.csv" for name in ("orders", "customers", "events", "referrals", "applicants", "visits", "ties")),
]


def leaks(text: str, secrets: Any = (*SECRETS, "13712345678")) -> list[str]:
    return [secret for secret in secrets if secret in text]


def texts(folder: Path) -> dict[str, str]:
    """What all files of a folder say, but the call sheets and the data itself."""
    said = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or "call_sheets/" in name:
            continue
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            cells = [cell for column in frame for cell in column.cast(pl.String, strict=False).drop_nulls().unique()]
            said[name] = "\n".join([*cells, *frame.columns])
        else:
            said[name] = path.read_bytes().decode("utf-8", errors="replace")
        said[name] += f"\n{name}"
    return said


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The jobs of a shop full of contacts: what they printed, and where."""
    folder = tmp_path_factory.mktemp("shop")
    for name, (columns, rows) in frames().items():
        csv(folder / f"{name}.csv", columns, rows, *(",".join([secret] * (len(columns) + 2)) for secret in SECRETS), f'"{NAME}')
    (folder / "told").mkdir()
    answers = ["客户编号", "姓名", "答复", "答复日期", "拒绝原因", "备注"]
    fine = [[each, f"客户{at}", ("拒绝", "已入群")[at % 2], "2026-07-03", "", ""] for at, each in enumerate(IDS)]
    csv(folder / "told" / "外呼.csv", answers, planted(answers, fine), f'C001,"{NAME}')
    csv(folder / "told" / "没有表头.csv", ["C001", NAME, SECRETS[0]], [["C002", "x", "1"]])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        jobs = {
            "launch": ["launch", *PATHS, *DATA, "launch.commit=true", "tracking=none", "out=out/launch"],
            "review": ["review", *PATHS, *DATA, "tracking=none", "out=out/review", "review.as_of=2026-07-31", "review.answers=[told]"],
            "backtest": [
                "backtest",
                *PATHS,
                *DATA,
                "tracking=none",
                "out=out/backtest",
                "backtest.rankings=[spend]",
                "backtest.cuts=[2026-04-01,2026-05-01]",
            ],
        }
        return folder, jobs


@pytest.mark.parametrize("job", slow_but(["launch", "review", "backtest"], "launch"))
def test_no_output_of_a_job_has_a_contact(done: Any, job: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, jobs = done
    monkeypatch.chdir(folder)
    if job == "review" and not (folder / "out" / "launch").exists():
        assert exit_code(*jobs["launch"]) == 0, capfd.readouterr().err
    assert exit_code(*jobs[job]) == 0, capfd.readouterr().err
    printed = "".join(capfd.readouterr())
    assert not leaks(printed), printed
    assert {name: found for name, text in texts(folder / "out").items() if (found := leaks(text))} == {}
    rejects = pl.read_parquet(folder / "out" / job / "rejects.parquet") if job != "backtest" else pl.DataFrame()
    if job == "launch":
        assert rejects.filter(pl.col("column") == "amount")["value"].n_unique() > 5
        assert any(path.suffix == ".xlsx" for path in (folder / "out" / "launch" / "call_sheets").iterdir())
    if job == "review":
        reasons = pl.read_csv(folder / "out" / "review" / "reasons.csv")["reason"].drop_nulls()
        assert set(reasons) <= set(THEMES)
        assert set(list_invitations(open_ledger(None, folder / "out" / "launch"))["reason"].drop_nulls()) <= set(THEMES)


@pytest.mark.slow
def test_mlflow_has_no_contact(done: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    folder, jobs = done
    monkeypatch.chdir(folder)
    jobs["tune"] = ["tune", *jobs["backtest"][1:], "out=out/tune", "tune.trials=3"]
    for job in ("launch", "review", "backtest", "tune"):
        asked = [each.replace("out=out/", "out=tracked/") for each in jobs[job] if not each.startswith("tracking")]
        assert exit_code(*asked, "tracking=mlflow") == 0, capfd.readouterr().err
    assert not leaks("".join(capfd.readouterr()))
    assert {name: found for name, text in texts(folder / "tracked").items() if (found := leaks(text))} == {}
    assert (folder / "tracked" / "mlflow.db").is_file()


@pytest.mark.parametrize("source", slow_but(["parquet", "xlsx", "sqlite"], "sqlite"))
def test_rejects_of_any_source_have_no_contact_and_keep_what_is_none(source: str, tmp_path: Path) -> None:
    from segmenter.loader import read_tables
    from segmenter.settings import DatabaseSettings

    tables = frames()
    tables["orders"][1].extend([["C001", "o", *odd, *[""] * 6] for odd in (("2026-13-01", "12"), ("2026-05-01", "12,50 x"))])
    data: dict[str, Any] = {name: pl.DataFrame(rows, schema=columns, orient="row") for name, (columns, rows) in tables.items()}
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "data.max_reject_share": 1, "data.orders.grain": "order", "data.customers.contact": ["phone"]}
    )
    base = {**dict(settings.data), "encoding": "auto", "separator": "auto", "sheet": None, "skip_rows": 0, "header": True}
    if source == "sqlite":
        with sqlite3.connect(tmp_path / "shop.db") as shop:
            for name, frame in data.items():
                shop.execute(f"CREATE TABLE {name} ({', '.join(map(repr, frame.columns))})")
                shop.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * frame.width)})", frame.rows())
        shop.close()
        named = {name: getattr(settings.data, name).model_copy(update={"query": f"SELECT * FROM {name}"}) for name in data}
        read = DatabaseSettings.model_construct(**{**base, **named, "kind": "database", "url": f"sqlite:///{tmp_path}/shop.db"})
    else:
        for name, frame in data.items():
            path = tmp_path / f"{name}.{source}"
            frame.write_parquet(path) if source == "parquet" else frame.write_excel(path)
        named = {name: getattr(settings.data, name).model_copy(update={"path": str(tmp_path / f"{name}.{source}")}) for name in data}
        read = segmenter.settings.FilesSettings.model_construct(**{**base, **named, "kind": "files", "dir": None})
    rejects = read_tables(read, settings.launch, seed=1).tables.rejects
    assert leaks("\n".join(rejects["value"].drop_nulls())) == []
    assert {"2026-13-01", "12,50 x"} <= set(rejects["value"])
    assert rejects.height > 50


@pytest.mark.slow
def test_orders_added_up_as_they_are_read_leave_no_contact_in_rejects_and_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmenter.evaluation.as_of import terms_of
    from segmenter.loader import read_tables
    from segmenter.measures import shop_orders

    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 1)
    tables = {name: pl.DataFrame(rows, schema=columns, orient="row") for name, (columns, rows) in frames().items()}
    # The store keeps no file with strangers, and order numbers on several rows are read at once.
    tables["orders"] = (
        tables["orders"].filter(pl.col("customer_id").is_in(IDS)).with_columns(order_id=pl.int_range(pl.len()).cast(pl.String))
    )
    for name, frame in tables.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    asked: dict[str, Any] = {
        "launch.as_of": "2026-07-01",
        "data.max_reject_share": 1,
        "data.orders.grain": "order",
        "data.customers.contact": ["phone"],
    }
    settings = segmenter.launch_settings(asked)
    named = {name: getattr(settings.data, name).model_copy(update={"path": f"{tmp_path}/{name}.parquet"}) for name in tables}
    rest = {"kind": "files", "dir": None, "encoding": "auto", "separator": "auto", "sheet": None, "skip_rows": 0, "header": True}
    data = segmenter.settings.FilesSettings.model_construct(**{**dict(settings.data), **rest, **named})
    for _ in range(2):
        read = read_tables(data, settings.launch, seed=1, terms=terms_of(settings), store=f"{tmp_path}/store")
        assert isinstance(read.tables.orders, shop_orders.AggregatedOrders)
        assert leaks("\n".join(read.tables.rejects["value"].drop_nulls())) == []
        assert read.tables.rejects.filter(table="orders")["value"].count() > 9
    kept = [pl.read_ipc(path) for path in (tmp_path / "store").rglob("*.arrow")]
    assert [leaks("\n".join(frame["value"].drop_nulls())) for frame in kept if "value" in frame.columns] == [[]]


ROW = ["C001", NAME, "13812345671", "li.mei@mail.example"]
GOOD = "customer_id,time,amount\n" + "\n".join(f"c{at},2026-06-01,{at}" for at in range(9))


HEADERS: list[tuple[list[str], list[str]]] = [
    (ROW, []),
    (ROW, ["data.customers.columns.customer_id=id"]),
    (ROW, ["data.customers.columns.customer_id=C001", "data.customers.contact=[tel]"]),
    (ROW, ["data.customers.columns.customer_id=C001 || missing"]),
    (["C001", NAME], []),
    (["2026-01-01", NAME, "12"], []),
    (["customer_id", "name", "phone", "email"], ["data.customers.columns.joined=email"]),
    (["customer_id", "name", "phone", "email"], ["data.customers.columns.joined='CAST(name AS INT)'"]),
    (["customer_id", "name", "phone", "email"], ["data.customers.where=\"name = '欧阳明月' AND phone = '0'\""]),
    (["customer_id", "name", "phone", "email"], ["data.customers.columns.staff='nothing(name)'"]),
    (["customer_id", "name", "phone", "email"], ["data.customers.attributes=[phone]"]),
    (["customer_id", "姓名", "phone", "email"], ["data.customers.columns.province=姓名"]),
    (["customer_id", "name", "tag", "email"], ["data.customers.attributes=[tag]"]),
    (["customer_id", "tag", "phone", "email"], ["data.customers.columns.name=tag", "data.customers.attributes=[tag]"]),
    (["customer_id", "name", "phone", "email"], ["data.customers.path='*.csv'"]),
    (["customer_id", "name", "phone", "email"], ["launch.name=13812345671", "launch.horizon_days=li.mei@mail.example"]),
]


@pytest.mark.parametrize(("header", "arguments"), slow_but(HEADERS, HEADERS[0], HEADERS[6], HEADERS[8], HEADERS[-1]))
def test_no_message_has_a_contact(
    header: list[str], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.txt").write_text(GOOD, encoding="utf-8")
    rows = [[f"c{at}", NAME, f"1381234567{at}", "li.mei@mail.example"][: len(header)] for at in range(9)]
    csv(Path("customers.csv"), header, rows)
    csv(Path("more.csv"), ROW, rows)
    asked = ["data=files", "data.orders.path=orders.txt", "data.customers.path=customers.csv", "launch.as_of=2026-07-01", "tracking=none"]
    code = exit_code("launch", *asked, "rules.orders.min=99", *arguments)
    said = "".join(capfd.readouterr())
    assert code == 2, said
    assert leaks(said, (NAME, "1381234567", "li.mei")) == [], said


@pytest.mark.parametrize(
    "text",
    [
        *("13800138000", "+86 138 0013 8000", "138-0013-8000", "(+86)13800138000", "8613800138000", "1 3 8 0 0 1 3 8 0 0 0"),
        *("１３８００１３８０００", "028-86123456", "(028) 8612 3456", "02886123456", "+1 (555) 123-4567", "+852 9123 4567"),
        *("a@b.com", "Li.Mei+x@mail.example.cn", "ａ＠ｂ．com", "wxid_abc123xyz", "微信号：lily1990", "微信lily1990", "vx:lily1990"),
        *("QQ12345678", "51010119900307123X", "四川省成都市武侯区人民南路四段12号3栋", "12 Baker Street", "1.3800138e10", "13800138000.0"),
    ],
)
def test_what_looks_like_a_contact_is_shown_by_its_shape(text: str) -> None:
    for around in ("{}", '姓名"{}"', "tel:{}，找她"):
        said = around.format(text)
        assert looks_like_contact(said)
        assert text not in hide(said)
        assert len(hide(said)) == len(said)
    assert Contacts().show(pl.Series([text, None]), ["amount"]).to_list() == [shape(text), None]


@pytest.mark.parametrize(
    "text",
    [
        *("12,50 x", "2026-13-01", "2026-07-01 12:00:00", "20260701120000", "1751328000000", "云南省", "C0001", "0000012345"),
        *("¥1,234,567.89", "15.123456789", "13,800,138,000", "postgresql://me@db.example.com/shop", "人民路店", "2026-07-01T12:00:00+0800"),
    ],
)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert hide(text) == text
    assert Contacts(known=[pl.Series([NAME, "12"])]).show(pl.Series([text]), ["amount"]).to_list() == [text]


@given(st.text())
def test_a_shape_is_as_long_and_its_own_shape(text: str) -> None:
    assert len(shape(text)) == len(text)
    assert shape(shape(text)) == shape(text)
    assert not leaks(hide(f"{text} 13812345671 {text}"), ["13812345671"])


@pytest.mark.parametrize(
    ("contact", "names"),
    [
        (
            True,
            "phone|Phone No.|buyer_phone|MOBILE_NO|TEL|手机|联系电话|微信号|wechat|wx_id|E-mail|邮箱|name|customerName|Full Name|姓名|客户姓名",
        ),
        (True, "联系人|Contact Person|收货人|收件人手机|收货地址|home address|id card|身份证号|QQ号|whatsapp|nickname"),
        (
            False,
            "amount|customer_id|time|product_name|商品名称|city|会员等级|do_not_contact|手机型号|是否加微信|email_opens|order_id|telecom_plan",
        ),
    ],
)
def test_contact_columns_by_name(contact: bool, names: str) -> None:
    assert [name for name in names.split("|") if is_contact_name(name) != contact] == []


def test_literals_compared_with_contacts_are_not_shown() -> None:
    assert NAME not in shown_sql(f"姓名 = '{NAME}'")
    assert NAME not in shown_sql(f"tag = '{NAME}'", ["tag"])
    assert shown_sql("city = '成都' AND spend > 3") == "city = '成都' AND spend > 3"
    assert shown_columns(["客户", "金额 ", "x"])["x"] == "x"


def test_an_attribute_may_hold_a_contact_by_mistake_but_not_mostly() -> None:
    orders = pl.DataFrame({"customer_id": ["a", "b", "c"], "time": "2026-06-01", "amount": 1})
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.customers.attributes": ["tag"]})

    def read(*tags: str) -> Any:
        customers = pl.DataFrame({"customer_id": ["a", "b", "c"], "tag": tags})
        return segmenter.canonical_tables({"orders": orders, "customers": customers}, settings.data, settings.launch)

    tables = read("gold", "13812345671", "silver")
    assert tables.customers["tag"].to_list() == ["gold", None, "silver"]
    assert tables.reads["customers"]["noted"] == 1
    assert tables.rejects["value"].to_list() == ["99999999999"]
    with pytest.raises(InputError, match=r"data\.customers\.attributes: \"tag\""):
        read("gold", "13812345671", "li.mei@mail.example")


def test_a_region_that_is_a_contact_is_unknown_and_told() -> None:
    orders = pl.DataFrame({"customer_id": ["a", "b"], "time": "2026-06-01", "amount": 1, "city": ["13812345671", "成都市"]})
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    plan = segmenter.plan_launch(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)
    assert set(plan.customers["region"]) == {"四川/成都", None}
    assert any(each.startswith("customers whose province or city looks like a contact: 1") for each in plan.warnings)


def test_an_address_where_a_city_should_stand_says_where_it_is_and_no_more() -> None:
    cities = ["四川省绵阳市涪城区临园路东段 72 号 3 单元", "成都市"]
    orders = pl.DataFrame({"customer_id": ["a", "b"], "time": "2026-06-01", "amount": 1, "city": cities})
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "rules.region.exclude": ["绵阳"]})
    plan = segmenter.plan_launch(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)
    assert plan.customers.sort("customer_id").select("province", "city", "district", "verdict").rows() == [
        ("四川", "绵阳", "涪城区", "region_exclude"),
        ("四川", "成都", None, "eligible"),
    ]
    assert not any("contact" in each for each in plan.warnings)


@pytest.mark.parametrize(
    "odd",
    [[["张伟"]], [{"name": "张伟"}], [b"\xff"], pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date), [None], [True]],
    ids=lambda odd: str(pl.Series(odd).dtype),
)
def test_columns_of_contacts_of_any_type_are_no_trouble(odd):
    contacts = Contacts(frozenset(), [pl.Series(odd), pl.Series(["王芳"])])
    assert contacts.show(pl.Series(["给王芳", "x"]), ["note"]).to_list() == ["文文文", "x"]
