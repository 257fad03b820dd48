"""The shop API's customers and their points."""

from __future__ import annotations

from typing import Any

from bot.core.conversations import is_external_id
from bot.core.customers import Customer, CustomerId
from bot.core.ledger import EntryId, expiring
from bot.errors import ReportRefused
from bot.gateway.api_answers import BirthdayAnswer, CustomerAnswer, EntryAnswer, ExpiringPoints, LedgerAnswer, Points
from bot.gateway.api_endpoints import Call, Created, Endpoints
from bot.gateway.api_requests import NotFound
from bot.gateway.api_schemas import CustomerBody, LedgerQuery
from bot.services.ledger import balance_of
from bot.services.ports import UnitOfWork
from bot.services.shop_sync import upsert_customer

endpoints = Endpoints()

_ENTRY = ("id", "kind", "points", "at", "available_at", "expires_at", "source", "reverses_id")
# Nobody is without a name: null says no more than leaving it out does.
_FIELDS = ("email", "phone", "postcode", "address", "preferred_name", "language")


@endpoints.add(
    "PUT",
    "/api/v1/customers/{external_id}",
    "Report a customer",
    body=CustomerBody,
    answer=CustomerAnswer,
    creates=True,
    refusals=("invalid", "conflict"),
)
async def put_customer(call: Call) -> CustomerAnswer | Created:
    """Report a customer under the shop's own number for them: when they sign up, and whenever their data change.

    Safe to repeat. Where the number belongs to a record that was merged into another one, the answer is about that one,
    and only what was not known of it yet counts. Somebody whose data were erased is refused with 409.
    """
    external_id = call.path("external_id")
    if not is_external_id(external_id):
        raise ReportRefused([("external_id", "must have 1 to 200 characters, none of them a control character")])
    body: CustomerBody = call.body
    changes: dict[str, Any] = {name: getattr(body, name) for name in _FIELDS if name in body.__fields_set__}
    if body.name is not None:
        changes["name"] = body.name
    if "birthday" in body.__fields_set__:
        changes["birthday"] = body.birthday and (body.birthday.month, body.birthday.day)
    state = await upsert_customer(call.db, call.clock, external_id, changes)
    async with call.db.reading() as work:
        answer = await _answer(call, work, state.customer, list(state.ignored))
    return Created(answer) if state.created else answer


@endpoints.add(
    "GET",
    "/api/v1/customers/{external_id}",
    "Read a customer",
    answer=CustomerAnswer,
    refusals=("not_found",),
)
async def get_customer(call: Call) -> CustomerAnswer:
    """The customer as they are known here, and their points. A merged record answers with the one it went into."""
    async with call.db.reading() as work:
        return await _answer(call, work, await find_customer(call, work), [])


@endpoints.add(
    "GET",
    "/api/v1/customers/{external_id}/ledger",
    "Read a customer's points",
    query=LedgerQuery,
    answer=LedgerAnswer,
    refusals=("invalid", "not_found"),
)
async def get_ledger(call: Call) -> LedgerAnswer:
    """The balance, what runs out when, and the entries, newest first, a page at a time.

    Entries never change, and new ones come before the old: go on with `next_before` and no entry is missed or seen
    twice.
    """
    query: LedgerQuery = call.query
    async with call.db.reading() as work:
        customer = await find_customer(call, work)
        before = EntryId(query.before) if query.before else None
        entries = await work.ledger.page(customer.id, before=before, limit=query.limit + 1)
        lots, _ = await work.ledger.open_of(customer.id)
        page = entries[: query.limit]
        return LedgerAnswer(
            external_id=customer.external_id,
            balance=await points_answer(call, work, customer),
            expiring=[ExpiringPoints(at=at, points=points) for at, points in expiring(lots, call.clock.now())],
            entries=[EntryAnswer(**{name: getattr(one, name) for name in _ENTRY}) for one in page],
            next_before=page[-1].id if len(entries) > len(page) else None,
        )


async def find_customer(call: Call, work: UnitOfWork) -> Customer:
    """The customer that the path names. Raises NotFound, also for somebody whose data were erased."""
    external_id = call.path("external_id")
    customer = await work.customers.by_external_id(external_id) if is_external_id(external_id) else None
    if customer is None or customer.erased_at is not None:
        raise NotFound("There is no customer with this number.")
    return customer


async def named_customer(work: UnitOfWork, external_id: str | None) -> Customer | None:
    """The customer that a body names; None when it names nobody. Raises ReportRefused for one that there is not."""
    if external_id is None:
        return None
    customer = await work.customers.by_external_id(external_id)
    if customer is None or customer.erased_at is not None:
        raise ReportRefused([("customer_external_id", "is no customer's number")])
    return customer


async def number_of(work: UnitOfWork, customer_id: CustomerId | None) -> str | None:
    """The shop's own number for somebody; None for nobody, and for whoever was erased."""
    customer = await work.customers.get(customer_id) if customer_id else None
    return customer.external_id if customer and customer.erased_at is None else None


async def points_answer(call: Call, work: UnitOfWork, customer: Customer) -> Points:
    """What the customer's account holds now."""
    balance = await balance_of(work, call.clock, customer.id)
    return Points(available=balance.available, pending=balance.pending)


async def _answer(call: Call, work: UnitOfWork, customer: Customer, ignored: list[str]) -> CustomerAnswer:
    month, day = customer.birthday_month, customer.birthday_day
    return CustomerAnswer(
        external_id=customer.external_id,
        name=customer.name,
        **{name: getattr(customer, name) for name in _FIELDS},
        birthday=BirthdayAnswer(month=month, day=day) if month and day else None,
        created_at=customer.created_at,
        points=await points_answer(call, work, customer),
        ignored=ignored,
    )
