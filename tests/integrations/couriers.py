"""What tests of couriers share: the simulated courier, where it is, and the adapter as the settings make it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from integrations.couriers import Fengqiao, connect
from integrations.simulators.courier import Courier, serve
from prescriptions.delivery.couriers import Contact, Parcel
from tests.product import make_settings

GIVEN: dict[str, Any] = {
    "courier_provider": "fengqiao",
    "courier_partner": "BJETYY",
    "courier_checkword": "dev-checkword-of-the-tests",
    "courier_account": "0100000000",
}
HOME = Contact("王芳", "13800001234", ("北京市", "北京市", "海淀区"), "中关村大街1号 3单元501")


@contextmanager
def simulated(backend: str = "") -> Iterator[tuple[Courier, Fengqiao]]:
    """The courier's program, and the adapter that speaks with it."""
    courier = Courier(GIVEN["courier_partner"], GIVEN["courier_checkword"], backend)
    server = serve(courier)
    origin = f"http://127.0.0.1:{server.server_port}"
    made = connect(make_settings("postgresql://localhost/x", "redis://localhost", **GIVEN, courier_origin=origin))
    assert isinstance(made, Fengqiao)
    try:
        yield courier, made
    finally:
        server.shutdown()
        server.server_close()


def parcel(n: int = 1, receiver: Contact = HOME) -> Parcel:
    """A parcel of ours."""
    return Parcel(UUID(int=n), receiver, "4711")
