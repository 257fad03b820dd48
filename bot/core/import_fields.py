"""What can be imported: the fields of customers and orders, and the names that columns commonly have for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


class Kind(str, Enum):
    """What a file holds."""

    CUSTOMERS = "customers"
    ORDERS = "orders"


@dataclass(frozen=True)
class Field:
    """One thing that a column can hold. `names` are what columns are called that hold it, without spaces and signs.

    Where several columns make up one field, `joiner` stands between them.
    """

    meaning: str
    names: tuple[str, ...]
    joiner: str = " "


CUSTOMER_FIELDS: Mapping[str, Field] = {
    "id": Field(
        "the shop's own number for the customer",
        (
            *("id", "customerid", "customerno", "customernumber", "customernr", "custid", "externalid", "kundennummer"),
            *("memberid", "clientid", "userid"),
        ),
    ),
    "email": Field(
        "e-mail address",
        ("email", "emailaddress", "mail", "customeremail", "contactemail", "email1", "primaryemail"),
    ),
    "name": Field("full name", ("name", "fullname", "customername", "displayname", "customer", "contactname")),
    "first_name": Field("first name", ("firstname", "givenname", "forename", "vorname", "customerfirstname")),
    "last_name": Field("last name", ("lastname", "surname", "familyname", "nachname", "customerlastname")),
    "preferred_name": Field("how they want to be called", ("preferredname", "nickname", "calledname")),
    "phone": Field(
        "telephone number",
        ("phone", "phonenumber", "telephone", "mobile", "mobilephone", "tel", "cell", "telefon"),
    ),
    "address": Field(
        "postal address",
        ("address", "postaladdress", "streetaddress", "shippingaddress", "billingaddress", "fulladdress"),
        ", ",
    ),
    "postcode": Field("postcode", ("postcode", "zip", "zipcode", "postalcode", "plz", "postcodezip")),
    "birthday": Field("birthday; its year is not kept", ("birthday", "dateofbirth", "birthdate", "dob")),
    "language": Field("language", ("language", "locale", "lang", "preferredlanguage")),
    "created_at": Field(
        "customer since",
        ("createdat", "created", "customersince", "registeredat", "signupdate", "registrationdate", "datejoined"),
    ),
}

ORDER_FIELDS: Mapping[str, Field] = {
    "number": Field(
        "the order's number; several rows with the same one are one order",
        (
            *("number", "ordernumber", "orderno", "ordernr", "orderid", "order", "invoiceno", "invoicenumber"),
            *("invoice", "invoiceid", "receiptno", "transactionid"),
        ),
    ),
    "placed_at": Field(
        "when it was ordered",
        (
            *("placedat", "orderdate", "date", "orderedat", "invoicedate", "createdat", "purchasedate", "datetime"),
            *("timestamp", "orderedon", "transactiondate"),
        ),
    ),
    "customer": Field(
        "the shop's own number for the customer",
        ("customerid", "customerno", "customernumber", "custid", "clientid", "memberid", "userid"),
    ),
    "email": Field("the customer's e-mail address", CUSTOMER_FIELDS["email"].names),
    "name": Field("the customer's name", ("customername", "fullname", "billingname", "shippingname", "contactname")),
    "postcode": Field(
        "postcode", ("postcode", "zip", "zipcode", "postalcode", "plz", "shippingzip", "shippingpostcode")
    ),
    "shipping_address": Field(
        "where it goes", ("shippingaddress", "deliveryaddress", "address", "shippingstreet", "shipto"), ", "
    ),
    "sku": Field(
        "the product's number",
        ("sku", "stockcode", "productid", "productcode", "itemno", "itemnumber", "articleno", "lineitemsku", "itemsku"),
    ),
    "title": Field(
        "the product's name",
        ("title", "description", "product", "productname", "item", "itemname", "lineitemname", "article"),
    ),
    "quantity": Field("how many", ("quantity", "qty", "count", "units", "lineitemquantity", "amountofunits")),
    "unit_price": Field(
        "the price of one",
        ("unitprice", "price", "priceeach", "itemprice", "lineitemprice", "singleprice"),
    ),
    "line_total": Field(
        "the price of the row, in place of the price of one", ("linetotal", "rowtotal", "lineamount", "itemtotal")
    ),
    "total": Field(
        "what the whole order costs",
        ("total", "ordertotal", "grandtotal", "totalprice", "totalamount", "ordervalue", "amount"),
    ),
    "discount": Field("what was taken off the whole order", ("discount", "discountamount", "orderdiscount")),
    "delivery": Field(
        "what the delivery costs", ("delivery", "shipping", "deliveryfee", "shippingcost", "shippingprice", "freight")
    ),
    "currency": Field("three letters, EUR", ("currency", "currencycode")),
    "status": Field("how far along it is", ("status", "orderstatus", "fulfillmentstatus", "fulfilmentstatus", "state")),
    "paid_at": Field("when it was paid", ("paidat", "paymentdate", "paidon", "datepaid")),
    "shipped_at": Field("when it was sent", ("shippedat", "shipdate", "shippeddate", "fulfilledat", "dispatchedat")),
    "delivered_at": Field("when it arrived", ("deliveredat", "deliverydate", "delivereddate")),
    "cancelled_at": Field("when it was cancelled", ("cancelledat", "canceledat")),
    "due_on": Field("the day on which it should arrive", ("dueon", "duedate", "expecteddelivery", "eta")),
    "carrier": Field("who brings it", ("carrier", "shippingcarrier", "courier", "shippingcompany")),
    "tracking_number": Field("the parcel's number", ("trackingnumber", "tracking", "trackingno", "trackingid")),
    "credited_order": Field("of a credit note: the order that it is about", ("creditedorder", "originalorder")),
}

LINE_FIELDS = frozenset({"sku", "title", "quantity", "unit_price", "line_total"})
AMOUNTS_OF_AN_ORDER = frozenset({"total", "discount", "delivery"})
FIELDS = {Kind.CUSTOMERS: CUSTOMER_FIELDS, Kind.ORDERS: ORDER_FIELDS}


def guess_columns(kind: Kind, header: Sequence[str]) -> dict[str, str]:
    """The columns that hold the fields, judged by their names alone. Each column is used once, and no name twice."""
    plain = [_NOT_ALPHANUMERIC.sub("", name.lower()) for name in header]
    guessed: dict[str, str] = {}
    for field, described in FIELDS[kind].items():
        for name in described.names:
            if plain.count(name) == 1 and (column := header[plain.index(name)]) not in guessed.values():
                guessed[field] = column
                break
    if "name" in guessed and kind is Kind.CUSTOMERS:
        # A full name says it all.
        guessed.pop("first_name", None)
        guessed.pop("last_name", None)
    if "unit_price" in guessed:
        guessed.pop("line_total", None)
    if kind is Kind.ORDERS and has_lines(guessed):
        # Where each row is a product, an amount may be the row's or the order's: its name alone does not tell.
        guessed = {field: column for field, column in guessed.items() if field not in AMOUNTS_OF_AN_ORDER}
    return guessed


def has_lines(fields: Iterable[str]) -> bool:
    """Whether an import of orders with these fields has a row for each product, and not one for each order."""
    return not LINE_FIELDS.isdisjoint(fields)


def faults_of_choice(kind: Kind, fields: Sequence[str]) -> list[str]:
    """What is missing for an import with these fields, each fault in words."""
    has = set(fields)
    if kind is Kind.CUSTOMERS:
        return [] if has & {"id", "email"} else ["id or email is missing: which column tells customers apart?"]
    faults = [
        f"{name} is missing: which column holds {ORDER_FIELDS[name].meaning.partition(';')[0]}?"
        for name in ("number", "placed_at")
        if name not in has
    ]
    if has_lines(has):
        if not has & {"sku", "title"}:
            faults.append("sku or title is missing: which column says what was bought?")
        if "quantity" not in has:
            faults.append("quantity is missing: which column says how many were bought?")
        if not has & {"unit_price", "line_total"}:
            faults.append("unit_price or line_total is missing: which column says what it costs?")
        if {"unit_price", "line_total"} <= has:
            faults.append("unit_price and line_total are both given: one of them says it all")
    elif "total" not in has:
        faults.append("total is missing (or sku, quantity and unit_price, with a row for each product)")
    return faults
