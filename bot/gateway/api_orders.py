"""The shop API's orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.core.order_reports import OrderReport, ReportedRefund, ReportedReturn
from bot.core.orders import OrderLine, normalise_order_number
from bot.errors import ReportRefused
from bot.gateway.api_answers import LineAnswer, OrderAnswer, OrderCustomer, RefundAnswer, ReturnAnswer
from bot.gateway.api_endpoints import Call, Created, Endpoints
from bot.gateway.api_requests import NotFound
from bot.gateway.api_schemas import OrderBody
from bot.services.shop_sync import OrderState, ReportedCustomer, order_state, upsert_order

endpoints = Endpoints()

# Of these null says no more than leaving them out does.
_NEVER_EMPTY = ("total_minor", "placed_at", "currency", "paid_at")
_PLAIN = (
    *("total_minor", "placed_at", "currency", "discount_minor", "delivery_minor", "email", "postcode", "due_on"),
    *("paid_at", "shipped_at", "delivered_at", "cancelled_at", "carrier", "tracking_number", "shipping_address"),
)
_REFUND = ("amount_minor", "reason", "status", "return_number", "requested_at", "paid_at")
_RETURN = ("number", "status", "reason", "created_at", "amount_minor")


@endpoints.add(
    "PUT",
    "/api/v1/orders/{number}",
    "Report an order",
    body=OrderBody,
    answer=OrderAnswer,
    creates=True,
    refusals=("invalid", "conflict"),
)
async def put_order(call: Call) -> OrderAnswer | Created:
    """Report an order as it is now: when it is placed, and whenever something about it changes.

    Safe to repeat: the same report again changes nothing and gets the same answer. Reports may come in any order: one
    whose status lies behind the present one is late, and only its refunds count, and that the order was paid. An order
    that is paid earns points for its customer; refunds take them back, each refund once.
    """
    number = normalise_order_number(call.path("number"), call.shop.order_prefix)
    if number is None:
        raise ReportRefused([("number", "must be up to four letters and 4 to 12 digits, such as TC-10002")])
    body: OrderBody = call.body
    report = OrderReport(
        status=body.status,
        changes=_changes(body),
        refunds=tuple(
            ReportedRefund(one.id, one.amount_minor, one.reason, one.return_number, one.paid_at)
            for one in body.refunds or ()
        ),
        returns=tuple(ReportedReturn(one.number, one.status) for one in body.returns or ()),
    )
    named = body.customer
    customer = ReportedCustomer(named.external_id, named.name, named.email) if named else None
    state = await upsert_order(call.db, call.clock, call.shop, number, report, customer)
    return Created(_answer(state)) if state.created else _answer(state)


@endpoints.add("GET", "/api/v1/orders/{number}", "Read an order", answer=OrderAnswer, refusals=("not_found",))
async def get_order(call: Call) -> OrderAnswer:
    """The order as it is known here, with its refunds and returns."""
    number = normalise_order_number(call.path("number"), call.shop.order_prefix)
    async with call.db.reading() as work:
        state = await order_state(work, call.shop, number) if number else None
    if state is None:
        raise NotFound("There is no order with this number.")
    return _answer(state)


def _changes(body: OrderBody) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in _PLAIN if name in body.__fields_set__}
    changes = {name: value for name, value in given.items() if value is not None or name not in _NEVER_EMPTY}
    if body.lines is not None:
        changes["lines"] = tuple(OrderLine(**line.dict()) for line in body.lines)
    return changes


def _answer(state: OrderState) -> OrderAnswer:
    shown = state.customer if state.customer and state.customer.erased_at is None else None
    return OrderAnswer(
        **{name: value for name, value in vars(state.order).items() if name not in ("customer_id", "lines")},
        customer=OrderCustomer(external_id=shown.external_id, name=shown.name) if shown else None,
        lines=_lines(state.order.lines),
        refunds=[
            RefundAnswer(id=one.external_id, **{name: getattr(one, name) for name in _REFUND}) for one in state.refunds
        ],
        returns=[
            ReturnAnswer(lines=_lines(one.lines), **{name: getattr(one, name) for name in _RETURN})
            for one in state.returns
        ],
        ignored=list(state.ignored),
    )


def _lines(lines: Iterable[OrderLine]) -> list[LineAnswer]:
    return [LineAnswer(**vars(line)) for line in lines]
