"""The people of the demo shop, whom documentation and tests rely on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoPerson:
    """A customer to try the demo as."""

    external_id: str
    name: str
    email: str
    postcode: str
    address: str
    about: str
    birthday: tuple[int, int] | None = None


MARIA = DemoPerson(
    "C-1001",
    "Maria Santos",
    "maria@example.com",
    "1200",
    "48 Salcedo Street, Makati 1200, Philippines",
    "a regular with 420 points, one order on its way and one being prepared",
)
JOHN = DemoPerson(
    "C-1002",
    "John Reyes",
    "john@example.com",
    "6000",
    "7 Mango Avenue, Cebu City 6000, Philippines",
    "got a delivery three days ago, and a refund",
)
AIKO = DemoPerson(
    "C-1003",
    "Aiko Tanaka",
    "aiko@example.com",
    "1605",
    "Unit 12, 30 Emerald Avenue, Pasig 1605, Philippines",
    "new here, nothing ordered yet",
    birthday=(2, 29),
)
DEMO_PEOPLE = (MARIA, JOHN, AIKO)
