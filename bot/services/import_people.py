"""Whom imported rows are about: found by the shop's number, else by e-mail address; made known if they are not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.core.customers import Customer, CustomerId, erased_external_id
from bot.core.import_orders import CustomerClue
from bot.services.ids import new_id
from bot.services.import_ports import ImportRepository

SOURCE = "import"
# In place of the shop's number for whoever was imported without one.
_NUMBERLESS = "import:"


class People:
    """The customers whom a batch of rows is about."""

    def __init__(self, known: Iterable[Customer]) -> None:
        self._by_id: dict[CustomerId, Customer] = {}
        self._by_number: dict[str, Customer] = {}
        self._by_email: dict[str, list[CustomerId]] = {}
        self._erased: dict[str, datetime] = {}
        for customer in known:
            self.add(customer)

    @classmethod
    async def of(cls, imports: ImportRepository, clues: Iterable[CustomerClue], *, lock: bool) -> People:
        """Whoever the clues may be about, and whom those turned out to be."""
        told = list(clues)
        numbers = sorted({clue.number for clue in told if clue.number is not None})
        emails = sorted({clue.email for clue in told if clue.email is not None})
        erased = list(map(erased_external_id, numbers))
        people = cls(await imports.customers([*numbers, *erased], emails, lock=lock))
        holders = await imports.proven_emails(emails)
        for customer in await imports.customers_by_id(sorted(set(holders.values()) - people._by_id.keys())):
            people.add(customer)
        for email, holder in holders.items():
            # Whoever has proven an address comes before those who only gave it.
            people._by_email.setdefault(email, []).insert(0, holder)
        people._erased = await imports.erased_emails(emails)
        while missing := {
            customer.merged_into_id
            for customer in people._by_id.values()
            if customer.merged_into_id is not None and customer.merged_into_id not in people._by_id
        }:
            before = len(people._by_id)
            await people.add_by_id(imports, missing)
            if len(people._by_id) == before:
                break
        return people

    def add(self, customer: Customer) -> None:
        """One more, or one who has changed; who was known before stays the first choice."""
        self._by_id[customer.id] = customer
        self._by_number[customer.external_id] = customer
        if customer.email:
            self._by_email.setdefault(customer.email, []).append(customer.id)

    async def add_by_id(self, imports: ImportRepository, ids: Iterable[CustomerId]) -> None:
        """More of them, who are not looked for by number or address."""
        for customer in await imports.customers_by_id(sorted(set(ids) - self._by_id.keys())):
            self._by_id[customer.id] = customer

    def by_id(self, customer_id: CustomerId | None) -> Customer | None:
        """The customer of that id, if they are one of these."""
        return self._by_id.get(customer_id) if customer_id is not None else None

    def find(self, clue: CustomerClue) -> Customer | None:
        """Who it is. The number decides; an e-mail address, where no number speaks against it.

        Whoever was merged into somebody, or was erased, is found as well.
        """
        if clue.number is not None:
            found = self._by_number.get(clue.number) or self._by_number.get(erased_external_id(clue.number))
            if found is not None:
                return found
        sharing = map(self._by_id.__getitem__, self._by_email.get(clue.email or "", ()))
        candidates = [one for one in sharing if one.erased_at is None]
        if clue.number is not None:
            candidates = [one for one in candidates if is_numberless(one)]
        candidates.sort(key=lambda one: one.merged_into_id is not None)
        return candidates[0] if candidates else None

    def is_erased(self, clue: CustomerClue, at: datetime | None) -> bool:
        """Whether a clue that leads to nobody is about somebody who was erased since then.

        Of those only hashes of the addresses are left. A number that is not known is a new beginning.
        """
        erased_at = self._erased.get(clue.email or "")
        return clue.number is None and erased_at is not None and (at is None or at <= erased_at)

    def present(self, customer: Customer) -> Customer:
        """The customer, or the one that they turned out to be."""
        seen = {customer.id}
        while customer.merged_into_id in self._by_id and customer.merged_into_id not in seen:
            customer = self._by_id[customer.merged_into_id]
            seen.add(customer.id)
        return customer


def is_numberless(customer: Customer) -> bool:
    """Whether the shop's number for an imported customer is not known yet."""
    return customer.external_id == f"{_NUMBERLESS}{customer.id}"


def make_customer(clue: CustomerClue, created_at: datetime) -> Customer:
    """A customer who was not known."""
    customer_id = CustomerId(new_id())
    number = clue.number if clue.number is not None else f"{_NUMBERLESS}{customer_id}"
    return Customer(customer_id, number, clue.name, clue.email, created_at, source=SOURCE)
