"""What an invoice says of an order."""

import pytest

from bot.core.invoices import Invoice
from bot.core.orders import OrderStatus
from tests.builders import an_order


@pytest.mark.parametrize(
    ("total", "delivery", "discount"), [(2_900, 0, 0), (3_350, 450, 0), (2_600, 0, 300)], ids=["plain", "more", "less"]
)
def test_what_is_charged_beyond_the_goods_is_delivery_and_what_is_charged_less_a_discount(total, delivery, discount):
    invoice = Invoice(an_order(total_minor=total))

    assert (invoice.goods_minor, invoice.delivery_minor, invoice.discount_minor) == (2_900, delivery, discount)


def test_every_status_has_words_for_the_stamp():
    stamps = {status.value: Invoice(an_order(status=status)).standing for status in OrderStatus}

    assert stamps == {
        **dict.fromkeys(("paid", "preparing", "shipped", "delivered"), "Paid"),
        "pending": "Payment due",
        "cancelled": "Cancelled",
        "returned": "Returned",
        "refunded": "Refunded",
    }
