"""Where the tables come from, and how their columns are mapped. One file because each table has the same four classes."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from segmenter.messages import Message
from segmenter.settings.types import Settings, Share, as_text, as_texts


class OrdersColumns(Settings):
    """Columns or SQL expressions of the orders."""

    customer_id: str | None
    order_id: str | None
    time: str | None
    amount: Annotated[str | None, BeforeValidator(as_text)]
    currency: str | None
    province: str | None
    city: str | None
    district: str | None
    address: str | None
    category: str | None
    status: str | None


class PersonColumns(Settings):
    """Columns or SQL expressions of somebody: who, and where."""

    customer_id: str | None
    name: str | None
    province: str | None
    city: str | None
    district: str | None
    address: str | None


class CustomersColumns(PersonColumns):
    """Columns or SQL expressions of the customers."""

    joined: str | None
    do_not_contact: str | None
    blocked: str | None
    staff: str | None


class EventsColumns(Settings):
    """Columns or SQL expressions of the events."""

    customer_id: str | None
    kind: str | None
    time: str | None


class ReferralsColumns(Settings):
    """Columns or SQL expressions of the referrals: `customer_id` brought `friend_id`."""

    customer_id: str | None
    friend_id: str | None
    time: str | None


class TiesColumns(Settings):
    """Columns or SQL expressions of who knows whom: `from_id` may bring `to_id`."""

    from_id: str | None
    to_id: str | None
    weight: Annotated[str | None, BeforeValidator(as_text)]
    time: str | None


class VisitsColumns(Settings):
    """Columns or SQL expressions of the visits; the hour, where the time is but the day."""

    time: str | None
    hour: str | None
    uv: str | None
    pv: str | None


class ApplicantsColumns(PersonColumns):
    """Columns or SQL expressions of the applicants: who answered an open call."""

    time: str | None
    channel: str | None


class TableSettings(Settings):
    """What the mappings of all tables share."""

    where: str | None
    time_format: str


class OrdersSettings(TableSettings):
    """How orders are read."""

    grain: Literal["auto", "order", "line"]
    repeats: Literal["keep", "drop", "latest"]
    fill_down: tuple[str, ...]
    not_customers: Annotated[Literal["auto"] | tuple[str, ...], BeforeValidator(as_texts)]
    refund: str | None
    columns: OrdersColumns


class CustomersSettings(TableSettings):
    """How customers are read."""

    contact: tuple[str, ...]
    attributes: tuple[str, ...]
    columns: CustomersColumns


class EventsSettings(TableSettings):
    """How events are read."""

    columns: EventsColumns


class ReferralsSettings(TableSettings):
    """How referrals are read."""

    columns: ReferralsColumns


class TiesSettings(TableSettings):
    """How it is read who knows whom."""

    columns: TiesColumns


class VisitsSettings(TableSettings):
    """How visits are read."""

    columns: VisitsColumns


class ApplicantsSettings(TableSettings):
    """How applicants are read; attributes of the customers are read of them too, where they have such columns."""

    contact: tuple[str, ...]
    columns: ApplicantsColumns


class MappingSettings(Settings):
    """How the rows of a shop's tables become canonical ones, wherever they come from."""

    decimal: Literal["auto", ".", ","]
    ids: Literal["exact", "mended"]
    max_reject_share: Share
    orders: OrdersSettings
    customers: CustomersSettings
    events: EventsSettings
    referrals: ReferralsSettings
    applicants: ApplicantsSettings
    visits: VisitsSettings
    ties: TiesSettings


SkipRows = Literal["auto"] | Annotated[int, Field(ge=0, le=1_000_000)]


class TableFiles(Settings):
    """The files of one table, and how they are written where that differs from the other tables'; None is as `FilesSettings` says."""

    path: str | None
    encoding: str | None
    separator: str | None
    sheet: str | None
    skip_rows: SkipRows | None
    header: bool | None


class OrdersFile(OrdersSettings, TableFiles):
    """Orders in files."""


class CustomersFile(CustomersSettings, TableFiles):
    """Customers in files."""


class EventsFile(EventsSettings, TableFiles):
    """Events in files."""


class ReferralsFile(ReferralsSettings, TableFiles):
    """Referrals in files."""


class VisitsFile(VisitsSettings, TableFiles):
    """Visits in files."""


class TiesFile(TiesSettings, TableFiles):
    """Who knows whom, in files."""


class ApplicantsFile(ApplicantsSettings, TableFiles):
    """Applicants in files."""


class FilesSettings(MappingSettings):
    """Tables in files."""

    kind: Literal["files"]
    dir: str | None
    encoding: str
    separator: str
    sheet: str | None
    skip_rows: SkipRows
    header: bool
    orders: OrdersFile
    customers: CustomersFile
    events: EventsFile
    referrals: ReferralsFile
    applicants: ApplicantsFile
    visits: VisitsFile
    ties: TiesFile

    @model_validator(mode="after")
    def _some_customers(self) -> "FilesSettings":
        if self.orders.path is None and self.customers.path is None:
            raise ValueError(Message("settings.path", "orders.path: is needed (or customers.path, where there are no sales yet)"))
        return self


class OrdersQuery(OrdersSettings):
    """Orders by a query."""

    query: str | None


class CustomersQuery(CustomersSettings):
    """Customers by a query."""

    query: str | None


class EventsQuery(EventsSettings):
    """Events by a query."""

    query: str | None


class ReferralsQuery(ReferralsSettings):
    """Referrals by a query."""

    query: str | None


class VisitsQuery(VisitsSettings):
    """Visits by a query."""

    query: str | None


class TiesQuery(TiesSettings):
    """Who knows whom, by a query."""

    query: str | None


class ApplicantsQuery(ApplicantsSettings):
    """Applicants by a query."""

    query: str | None


class DatabaseSettings(MappingSettings):
    """Tables in a database."""

    kind: Literal["database"]
    url: str
    orders: OrdersQuery
    customers: CustomersQuery
    events: EventsQuery
    referrals: ReferralsQuery
    applicants: ApplicantsQuery
    visits: VisitsQuery
    ties: TiesQuery

    @model_validator(mode="after")
    def _some_customers(self) -> "DatabaseSettings":
        if self.orders.query is None and self.customers.query is None:
            raise ValueError(Message("settings.query", "orders.query: is needed (or customers.query, where there are no sales yet)"))
        return self


class ShopSettings(Settings):
    """The size of the simulated shop."""

    customers: Annotated[int, Field(ge=100, le=5_000_000)]
    days: Annotated[int, Field(ge=120, le=3_650)]


class DemoSettings(MappingSettings):
    """The simulated shop."""

    kind: Literal["demo"]
    shop: ShopSettings


DataSettings = Annotated[FilesSettings | DatabaseSettings | DemoSettings, Field(discriminator="kind")]
