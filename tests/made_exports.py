"""Ten exports as ten systems write them: made-up orders under the headers and in the forms of each system's own documentation.

For each stands the query over the raw file that says, without anything of ours, what every customer spent, in how many orders, and when last.
"""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

PLACES = [("四川省", "成都市", "武侯区"), ("四川省", "绵阳市", "涪城区"), ("浙江省", "杭州市", "西湖区"), ("广东省", "深圳市", "南山区")]
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,"
    "Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,"
    "Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,"
    "Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,"
    "Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,"
    "Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Id,Tags,Risk Level,Source,Lineitem discount,Phone,Receipt Number,"
    "Billing Province Name,Shipping Province Name"
)
WOOCOMMERCE = (
    "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,tax_total,cart_discount,"
    "order_discount,discount_total,order_total,order_subtotal,order_currency,payment_method,payment_method_title,transaction_id,"
    "customer_ip_address,shipping_method,customer_id,customer_user,customer_email,billing_first_name,billing_last_name,billing_company,"
    "billing_email,billing_phone,billing_address_1,billing_city,billing_state,billing_postcode,billing_country"
)
MAGENTO = (
    "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),Grand Total (Purchased),Status,Billing Address,"
    "Shipping Address,Shipping Information,Customer Email,Customer Group,Subtotal,Shipping and Handling,Customer Name,Payment Method,Total Refunded"
)
TAOBAO = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,"
    "收货地址,运送方式,联系电话,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝种类,物流单号,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因"
)
JD = (
    "订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,订单类型,下单帐号,客户姓名,客户地址,联系电话,"
    "订单备注,发票类型,发票抬头,发票内容,商家备注,运费金额,付款确认时间,货号,订单完成时间,订单来源"
)
YOUZAN = (
    "订单号,归属店铺,订单类型,订单状态,订单创建时间,买家付款时间,商品种类数,付款方式,支付流水号,商品金额合计,运费,店铺优惠合计,应收订单金额,订单实付金额,"
    "全部商品名称,收货人/提货人,收货人手机号/提货人手机号,收货人省份,收货人城市,收货人地区,详细收货地址/提货地址,买家姓名,订单退款状态"
)
ODOO = "Order Reference,Order Date,Customer,Salesperson,Company,Total,Status,Invoice Status"
OLIST = (
    "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_customer_date,order_estimated_delivery_date,"
    "order_item_id,product_id,seller_id,price,freight_value,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state"
)
PRESTASHOP = "ID;Reference;New client;Delivery;Customer;Total;Payment;Status;Date"
AMAZON = (
    "order-id\torder-item-id\tpurchase-date\tpayments-date\tbuyer-email\tbuyer-name\tbuyer-phone-number\tsku\tproduct-name\tquantity-purchased\t"
    "currency\titem-price\titem-tax\tshipping-price\tshipping-tax\tship-service-level\trecipient-name\tship-address-1\tship-city\tship-state\t"
    "ship-postal-code\tship-country"
)


@dataclass(frozen=True)
class Order:
    """One order, in any system's words."""

    number: int
    customer: int
    time: datetime
    lines: list[tuple[int, int]]  # pieces, price of one in minor units
    fate: str  # paid, refunded, partly, unpaid, cancelled

    @property
    def total(self) -> int:
        """What the lines come to, in minor units."""
        return sum(pieces * price for pieces, price in self.lines)


def orders(seed: int, several: bool, start: datetime = datetime(2026, 1, 3, 8)) -> list[Order]:
    """Make up 120 orders of 40 customers."""
    random_ = random.Random(seed)
    found = []
    for number in range(120):
        lines = [(random_.randint(1, 3), random_.randint(500, 30_000)) for _ in range(random_.randint(1, 3) if several else 1)]
        fate = random_.choices(["paid", "refunded", "partly", "unpaid", "cancelled"], [80, 6, 4, 5, 5])[0]
        time = start + timedelta(hours=31 * number, minutes=random_.randint(0, 59), seconds=random_.randint(0, 59))
        found.append(Order(number, random_.randint(0, 39), time, lines, fate))
    return found


def units(minor: int) -> str:
    """Write minor units."""
    return f"{minor / 100:.2f}"


def mail(customer: int) -> str:
    """Give a customer's address."""
    return f"buyer{customer:02d}@example.com"


def write(path: Path, header: str, rows: Iterator[dict[str, object]], separator: str = ",", encoding: str = "utf-8") -> Path:
    """Write rows under a header; what a row does not say is empty."""
    names = next(csv.reader([header], delimiter=separator))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=separator, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def shopify(folder: Path) -> Path:
    states = {"paid": "paid", "refunded": "refunded", "partly": "partially_refunded", "unpaid": "pending", "cancelled": "voided"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(1, several=True):
            back = order.total if order.fate == "refunded" else order.total // 3 if order.fate == "partly" else 0
            for at, (pieces, price) in enumerate(order.lines):
                shared = {
                    **{"Financial Status": states[order.fate], "Currency": "EUR", "Subtotal": units(order.total), "Shipping": "0.00"},
                    **{"Total": units(order.total), "Refunded Amount": units(back), "Shipping City": "Berlin", "Shipping Country": "DE"},
                    **{"Fulfillment Status": "fulfilled", "Shipping Province Name": "Berlin", "Id": 5_000_000_000 + order.number},
                }
                created = order.time.strftime("%Y-%m-%d %H:%M:%S ") + ("+0200" if order.time.month in range(4, 11) else "+0100")
                line = {"Lineitem quantity": pieces, "Lineitem name": f"Item {price}", "Lineitem price": units(price)}
                yield {
                    "Name": f"#{1001 + order.number}",
                    "Email": mail(order.customer),
                    "Created at": created,
                    **line,
                    **({} if at else shared),
                }

    return write(folder / "orders_export_1.csv", SHOPIFY, rows())


def woocommerce(folder: Path) -> Path:
    states = {"paid": "completed", "refunded": "refunded", "partly": "processing", "unpaid": "pending", "cancelled": "cancelled"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(2, several=False):
            guest = order.customer % 3 == 0
            yield {
                **{"order_id": 7000 + order.number, "order_number": 7000 + order.number, "order_date": f"{order.time:%Y-%m-%d %H:%M:%S}"},
                **{"status": states[order.fate], "shipping_total": "4.90", "order_total": units(order.total), "order_currency": "GBP"},
                **{"customer_id": 0 if guest else 10 + order.customer, "customer_user": 0 if guest else 10 + order.customer},
                **{"customer_email": mail(order.customer), "billing_email": mail(order.customer), "billing_first_name": "Ann"},
                **{
                    "billing_city": "Leeds",
                    "billing_state": "West Yorkshire",
                    "billing_country": "GB",
                    "order_subtotal": units(order.total - 490),
                },
            }

    return write(folder / "order_export_2026-06.csv", WOOCOMMERCE, rows())


def magento(folder: Path) -> Path:
    states = {"paid": "Complete", "refunded": "Closed", "partly": "Processing", "unpaid": "Pending Payment", "cancelled": "Canceled"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(3, several=False):
            back = order.total if order.fate == "refunded" else 0
            yield {
                **{"ID": f"{order.number + 1:09d}", "Purchase Point": "Main Website", "Purchase Date": f"{order.time:%Y-%m-%d %H:%M:%S}"},
                **{
                    "Bill-to Name": f"Sam Lee {order.customer}",
                    "Grand Total (Base)": f"${order.total / 100:,.2f}",
                    "Status": states[order.fate],
                },
                **{
                    "Grand Total (Purchased)": f"${order.total / 100:,.2f}",
                    "Customer Email": mail(order.customer),
                    "Total Refunded": f"${back / 100:,.2f}",
                },
                **{"Shipping Address": "1 Main St,Austin,Texas,78701", "Subtotal": f"${order.total / 100:,.2f}"},
            }

    return write(folder / "export.csv", MAGENTO, rows())


def taobao(folder: Path) -> Path:
    states = {
        "paid": "交易成功",
        "refunded": "付款以后用户退款成功，交易自动关闭",
        "partly": "卖家已发货，等待买家确认",
        "unpaid": "等待买家付款",
        "cancelled": "交易关闭",
    }

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(4, several=False):
            province, city, district = PLACES[order.customer % 4]
            paid = "0" if order.fate in ("unpaid", "cancelled") else units(order.total)
            yield {
                **{
                    "订单编号": f'="{3_900_000_000_000_000 + order.number}"',
                    "买家会员名": f"tb买家{order.customer}",
                    "买家应付货款": units(order.total),
                },
                **{"买家应付邮费": "0", "总金额": units(order.total), "买家实际支付金额": paid, "订单状态": states[order.fate]},
                **{"收货人姓名": "王**", "收货地址": f"{province} {city} {district} 某某路1号", "联系手机": "'138****0000"},
                **{
                    "订单创建时间": f"{order.time:%Y-%m-%d %H:%M:%S}",
                    "订单付款时间": "" if paid == "0" else f"{order.time + timedelta(minutes=3):%Y-%m-%d %H:%M:%S}",
                },
                **{"宝贝标题": "护肤套装", "宝贝种类": 1, "宝贝总数量": 1, "店铺名称": "某某旗舰店", "订单关闭原因": "订单未关闭"},
            }

    return write(folder / "ExportOrderList202606.csv", TAOBAO, rows(), encoding="gb18030")


def jd(folder: Path) -> Path:
    states = {"paid": "完成", "refunded": "完成", "partly": "等待确认收货", "unpaid": "等待付款", "cancelled": "(删除)等待付款确认"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(5, several=True):
            for at, (pieces, price) in enumerate(order.lines):
                province, city, district = PLACES[order.customer % 4]
                yield {
                    **{
                        "订单号": 210_000_000_000 + order.number,
                        "商品ID": 100_000 + price,
                        "商品名称": f"商品{at}{price}",
                        "订购数量": pieces,
                    },
                    **{
                        "支付方式": "在线支付",
                        "下单时间": f"{order.time:%Y-%m-%d %H:%M:%S}",
                        "京东价": units(price),
                        "订单金额": units(order.total),
                    },
                    **{
                        "结算金额": units(order.total),
                        "余额支付": "0.00",
                        "应付金额": units(order.total),
                        "订单状态": states[order.fate],
                        "运费金额": "0.00",
                    },
                    **{
                        "下单帐号": f"jd_{order.customer:04d}",
                        "客户姓名": "李**",
                        "客户地址": f"{province}{city}{district}某某街道",
                        "联系电话": "138****0000",
                    },
                }

    return write(folder / "订单导出.csv", JD, rows(), encoding="gb18030")


def youzan(folder: Path) -> Path:
    states = {"paid": "交易完成", "refunded": "交易关闭", "partly": "待发货", "unpaid": "待付款", "cancelled": "交易关闭"}
    backs = {"refunded": "全额退款成功", "partly": "部分退款处理中"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(6, several=False):
            province, city, district = PLACES[order.customer % 4]
            yield {
                **{"订单号": f"E2026{order.number:015d}", "归属店铺": "总店", "订单类型": "普通订单", "订单状态": states[order.fate]},
                **{"订单创建时间": f"{order.time:%Y-%m-%d %H:%M:%S}", "商品种类数": 1, "商品金额合计": units(order.total), "运费": "0.00"},
                **{
                    "应收订单金额": units(order.total),
                    "订单实付金额": "0.00" if order.fate in ("unpaid", "cancelled") else units(order.total),
                },
                **{
                    "收货人/提货人": "张三",
                    "收货人手机号/提货人手机号": f"138000000{order.customer:02d}",
                    "收货人省份": province,
                    "收货人城市": city,
                },
                **{"收货人地区": district, "买家姓名": "张三", "订单退款状态": backs.get(order.fate, "")},
            }

    return write(folder / "订单报表.csv", YOUZAN, rows(), encoding="utf-8-sig")


def odoo(folder: Path) -> Path:
    states = {"paid": "Sales Order", "refunded": "Locked", "partly": "Sales Order", "unpaid": "Quotation Sent", "cancelled": "Cancelled"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(7, several=False):
            yield {
                **{"Order Reference": f"S{order.number + 1:05d}", "Order Date": f"{order.time:%Y-%m-%d %H:%M:%S}", "Company": "My Company"},
                **{
                    "Customer": f"Firm {order.customer:02d} GmbH",
                    "Salesperson": "Mitchell",
                    "Total": units(order.total),
                    "Status": states[order.fate],
                },
            }

    return write(folder / "Sales Order (sale.order).csv", ODOO, rows())


def olist(folder: Path) -> Path:
    states = {"paid": "delivered", "refunded": "shipped", "partly": "invoiced", "unpaid": "unavailable", "cancelled": "canceled"}

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(8, several=True):
            for at, (_, price) in enumerate(order.lines, start=1):
                yield {
                    **{
                        "order_id": f"e481f51cbdc54678b7cc49136f{order.number:06d}",
                        "customer_id": f"9ef432eb6251297304e76186b1{order.number:06d}",
                    },
                    **{
                        "order_status": states[order.fate],
                        "order_purchase_timestamp": f"{order.time:%Y-%m-%d %H:%M:%S}",
                        "order_item_id": at,
                    },
                    **{
                        "product_id": f"p{price}",
                        "price": units(price),
                        "freight_value": "8.72",
                        "customer_city": "sao paulo",
                        "customer_state": "SP",
                    },
                    **{"customer_unique_id": f"7c396fd4830fd04220f754e42b{order.customer:06d}", "customer_zip_code_prefix": "03149"},
                }

    return write(folder / "olist_joined.csv", OLIST, rows())


def prestashop(folder: Path) -> Path:
    states = {
        "paid": "Payment accepted",
        "refunded": "Refunded",
        "partly": "Shipped",
        "unpaid": "Awaiting check payment",
        "cancelled": "Canceled",
    }

    def rows() -> Iterator[dict[str, object]]:
        for order in orders(9, several=False):
            yield {
                **{
                    "ID": order.number + 1,
                    "Reference": f"XKBKNAB{order.number:03d}",
                    "New client": 0,
                    "Delivery": "France",
                    "Payment": "Payments by check",
                },
                **{
                    "Customer": f"J. DOE{order.customer:02d}",
                    "Total": f"€{order.total / 100:,.2f}",
                    "Status": states[order.fate],
                    "Date": f"{order.time:%Y-%m-%d %H:%M:%S}",
                },
            }

    return write(folder / "order_2026-06-30.csv", PRESTASHOP, rows(), separator=";")


def amazon(folder: Path) -> Path:
    def rows() -> Iterator[dict[str, object]]:
        for order in orders(10, several=True):
            for at, (pieces, price) in enumerate(order.lines):
                yield {
                    **{
                        "order-id": f"058-3718414-{order.number:07d}",
                        "order-item-id": f"3732990000{order.number:03d}{at}",
                        "buyer-email": mail(order.customer),
                    },
                    **{
                        "purchase-date": f"{order.time:%Y-%m-%dT%H:%M:%S}+00:00",
                        "sku": f"sku{price}",
                        "quantity-purchased": pieces,
                        "currency": "GBP",
                    },
                    **{
                        "item-price": units(pieces * price),
                        "item-tax": "0.00",
                        "shipping-price": "2.99",
                        "ship-city": "London",
                        "ship-state": "Greater London",
                    },
                    **{"ship-country": "GB", "buyer-name": f"Ann {order.customer}", "product-name": "Item"},
                }

    return write(folder / "orders-report.txt", AMAZON, rows(), separator="\t")


def pharmacy(folder: Path) -> tuple[Path, Path]:
    """Write what a wholesaler's spreadsheet program saves: orders in GB18030 with a title, a total and whole addresses; and its members."""
    random_ = random.Random(1)
    states = ["交易成功"] * 9 + ["已退款", "已取消"]
    rows, total = [], 0
    for number in range(400):
        customer, paid = random_.randint(1, 120), random_.randint(5_000, 300_000)
        time = datetime(2026, 1, 1, 9) + timedelta(hours=10 * number, minutes=random_.randint(0, 59))
        address = f"{''.join(PLACES[customer % 4])}某某路{customer}号"
        rows.append(
            [
                f"DD{20_260_000 + number}",
                f"HY{customer:04d}",
                f"{time:%Y/%m/%d %H:%M}",
                address,
                random_.choice(states),
                f"{paid / 100:,.2f}",
            ]
        )
        total += paid
    header = ["订单编号", "会员编号", "下单时间", "收货地址", "订单状态", "实付金额(元)"]
    whole = [["康泰药业 2026年上半年销售订单", *[""] * 5], header, *rows, ["合计", *[""] * 4, f"{total / 100:,.2f}"]]
    members = [["会员编号", "姓名", "手机号", "微信号", "会员等级", "注册时间"]]
    for customer in range(1, 121):
        name, level = random_.choice(["王芳", "李强", "张敏", "刘伟", "陈静"]), random_.choice(["金卡", "银卡", "普通"])
        joined = f"2024/{1 + customer % 12}/{1 + customer % 28}"
        members.append([f"HY{customer:04d}", name, f"138{customer:08d}", f"wx_{customer:05d}a", level, joined])
    for name, table in (("订单.csv", whole), ("会员.csv", members)):
        with (folder / name).open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows(table)
    return folder / "订单.csv", folder / "会员.csv"


_READ = "read_csv('{path}', all_varchar=true, delim='{delim}', header=true, quote='\"', escape='\"')"


@dataclass(frozen=True)
class Export:
    """An export, and the query over its raw file: ``customer_id``, ``spend``, ``orders``, ``last``."""

    make: Callable[[Path], Path]
    query: str
    delimiter: str = ","

    def sql(self, path: Path) -> str:
        """Give the query; DuckDB reads UTF-8 only."""
        copy = path.with_suffix(".utf8")
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030")
        copy.write_text(text, encoding="utf-8", newline="")
        return self.query.format(raw=_READ.format(path=copy, delim=self.delimiter))


# Orders of a state are counted (`is_order`) and last days are those of orders; money of refunds is not spent.
EXPORTS = {
    "shopify": Export(
        shopify,
        """SELECT Email AS customer_id, sum(Total::DECIMAL(18,2) - "Refunded Amount"::DECIMAL(18,2)) AS spend,
        count(*) FILTER ("Financial Status" <> 'refunded') AS orders, max(left("Created at", 10)::DATE) FILTER ("Financial Status" <> 'refunded') AS last
        FROM {raw} WHERE Total <> '' AND "Financial Status" NOT IN ('pending', 'voided') GROUP BY ALL""",
    ),
    "woocommerce": Export(
        woocommerce,
        """SELECT customer_email AS customer_id, coalesce(sum(order_total::DECIMAL(18,2)) FILTER (status <> 'refunded'), 0) AS spend,
        count(*) FILTER (status <> 'refunded') AS orders, max(left(order_date, 10)::DATE) FILTER (status <> 'refunded') AS last
        FROM {raw} WHERE status IN ('completed', 'processing', 'refunded') GROUP BY ALL""",
    ),
    "magento": Export(
        magento,
        """SELECT "Customer Email" AS customer_id, sum(replace(replace("Grand Total (Base)", '$', ''), ',', '')::DECIMAL(18,2)) FILTER (Status <> 'Closed') AS spend,
        count(*) FILTER (Status <> 'Closed') AS orders, max(left("Purchase Date", 10)::DATE) FILTER (Status <> 'Closed') AS last
        FROM {raw} WHERE Status IN ('Complete', 'Processing', 'Closed') GROUP BY ALL""",
    ),
    "taobao": Export(
        taobao,
        """SELECT "买家会员名" AS customer_id, sum("买家实际支付金额"::DECIMAL(18,2)) FILTER ("订单状态" NOT LIKE '%退款成功%') AS spend,
        count(*) FILTER ("订单状态" NOT LIKE '%退款成功%') AS orders, max(left("订单创建时间", 10)::DATE) FILTER ("订单状态" NOT LIKE '%退款成功%') AS last
        FROM {raw} WHERE "订单状态" NOT IN ('等待买家付款', '交易关闭') GROUP BY ALL""",
    ),
    "jd": Export(
        jd,
        """SELECT "下单帐号" AS customer_id, sum(paid) AS spend, count(*) AS orders, max(day) AS last
        FROM (SELECT "订单号", any_value("下单帐号") AS "下单帐号", any_value("应付金额")::DECIMAL(18,2) AS paid, any_value(left("下单时间", 10)::DATE) AS day
              FROM {raw} WHERE "订单状态" IN ('完成', '等待确认收货') GROUP BY "订单号") GROUP BY ALL""",
    ),
    "youzan": Export(
        youzan,
        """SELECT "收货人手机号/提货人手机号" AS customer_id, sum("订单实付金额"::DECIMAL(18,2)) FILTER (NOT back) AS spend,
        count(*) FILTER (NOT back) AS orders, max(left("订单创建时间", 10)::DATE) FILTER (NOT back) AS last
        FROM (SELECT *, coalesce("订单退款状态", '') = '全额退款成功' AS back FROM {raw}) WHERE "订单状态" IN ('交易完成', '待发货') OR back GROUP BY ALL""",
    ),
    "odoo": Export(
        odoo,
        """SELECT Customer AS customer_id, sum(Total::DECIMAL(18,2)) AS spend, count(*) AS orders, max(left("Order Date", 10)::DATE) AS last
        FROM {raw} WHERE Status IN ('Sales Order', 'Locked') GROUP BY ALL""",
    ),
    "olist": Export(
        olist,
        """SELECT customer_unique_id AS customer_id, sum(price::DECIMAL(18,2) + freight_value::DECIMAL(18,2)) AS spend,
        count(DISTINCT order_id) AS orders, max(left(order_purchase_timestamp, 10)::DATE) AS last
        FROM {raw} WHERE order_status NOT IN ('canceled', 'unavailable') GROUP BY ALL""",
    ),
    "prestashop": Export(
        prestashop,
        """SELECT Customer AS customer_id, sum(replace(replace(Total, '€', ''), ',', '')::DECIMAL(18,2)) FILTER (Status <> 'Refunded') AS spend,
        count(*) FILTER (Status <> 'Refunded') AS orders, max(left("Date", 10)::DATE) FILTER (Status <> 'Refunded') AS last
        FROM {raw} WHERE Status IN ('Payment accepted', 'Shipped', 'Refunded') GROUP BY ALL""",
        ";",
    ),
    "amazon": Export(
        amazon,
        """SELECT "buyer-email" AS customer_id, sum("item-price"::DECIMAL(18,2) + "shipping-price"::DECIMAL(18,2)) AS spend,
        count(DISTINCT "order-id") AS orders, max(("purchase-date"::TIMESTAMPTZ AT TIME ZONE 'Europe/London')::DATE) AS last FROM {raw} GROUP BY ALL""",
        "\\t",
    ),
}
