"""Where meters hang and whom they supply: site, usage point, customer."""

from decimal import Decimal

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Digits, new_id


class Site(Base):
    """An address with its access notes; coordinates in degrees WGS 84."""

    __tablename__ = "site"

    site_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    external_id: Mapped[str] = mapped_column(default="", index=True)
    street: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")  # path from region to cabinet: "North/Feeder 4"
    latitude: Mapped[Decimal | None] = mapped_column(Digits, default=None)
    longitude: Mapped[Decimal | None] = mapped_column(Digits, default=None)
    access: Mapped[str] = mapped_column(default="")
    hazards: Mapped[str] = mapped_column(default="")
    containment: Mapped[str] = mapped_column(default="")  # indoor, outdoor, cabinet, pit, pole ...


class Customer(Base):
    """Whom a usage point supplies; personal data, kept to what the visit needs."""

    __tablename__ = "customer"

    customer_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    contract: Mapped[str] = mapped_column(default="")
    tariff: Mapped[str] = mapped_column(default="")
    agreed: Mapped[str] = mapped_column(default="")  # agreed demand, as the contract words it


class UsagePoint(Base):
    """One point of supply.  Ratios are primary over secondary; 1/1 is a direct meter."""

    __tablename__ = "usage_point"
    __table_args__ = (Index("ix_usage_point_external", "external_id"),)

    usage_point_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.site_id"))
    external_id: Mapped[str] = mapped_column(default="")
    phases: Mapped[int] = mapped_column(default=1)
    fuse: Mapped[str] = mapped_column(default="")
    ct_primary: Mapped[Decimal] = mapped_column(Digits, default=Decimal(1))
    ct_secondary: Mapped[Decimal] = mapped_column(Digits, default=Decimal(1))
    vt_primary: Mapped[Decimal] = mapped_column(Digits, default=Decimal(1))
    vt_secondary: Mapped[Decimal] = mapped_column(Digits, default=Decimal(1))


class Device(Base):
    """A meter, module or transformer.  Serials are text: leading zeros count."""

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_serial", "serial"),)

    device_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    kind: Mapped[str] = mapped_column(default="meter")
    serial: Mapped[str] = mapped_column(default="")
    utility_serial: Mapped[str] = mapped_column(default="")
    logical_device_name: Mapped[str] = mapped_column(default="")
    manufacturer: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    meter_type: Mapped[str] = mapped_column(default="")  # name in resources/meters
    firmware: Mapped[str] = mapped_column(default="")
    year: Mapped[int | None] = mapped_column(default=None)
    usage_point_id: Mapped[str | None] = mapped_column(
        ForeignKey("usage_point.usage_point_id"), default=None
    )
