"""The measures by name: the one place that says what each of them means."""

from __future__ import annotations

from bot.core.measures import Definition, Unit

# An order counts unless it is unpaid or was cancelled. What was refunded of it is taken off, whenever that happened.
_ORDERS = "orders and refunds"
_LEDGER = "points ledger"
_ANSWERS = "customers' answers to surveys"
_CHATS = "messages and hand-offs"

REVENUE = Definition(
    "revenue", "Revenue", "what orders placed in the window brought, less refunds of them and credit notes",
    Unit.MONEY, "orders less refunds and credit notes", None, _ORDERS,
)  # fmt: skip
ORDERS = Definition(
    "orders", "Orders", "orders placed in the window, without unpaid and cancelled ones",
    Unit.COUNT, "orders", None, _ORDERS,
)  # fmt: skip
AVERAGE_ORDER = Definition(
    "average_order", "Average order", "what an order of the window brought on average",
    Unit.MONEY, "orders less refunds and credit notes", "orders", _ORDERS,
)  # fmt: skip
BUYERS = Definition(
    "buyers", "Customers who bought", "different customers with an order in the window",
    Unit.COUNT, "customers", None, _ORDERS,
)  # fmt: skip
NEW_BUYERS = Definition(
    "new_buyers", "First-time buyers", "customers whose first order ever is in the window",
    Unit.COUNT, "customers", None, _ORDERS,
)  # fmt: skip
RETENTION = Definition(
    "retention", "Retention",
    "of the customers at the start (who bought in the days before the window), the share who are still customers at "
    "the end (who bought in as many days before that); those who were not there at the start do not count",
    Unit.SHARE, "customers at the end, less those who came in between", "customers at the start", _ORDERS,
)  # fmt: skip
CHURN = Definition(
    "churn", "Churn", "the others of the customers at the start: 1 − retention",
    Unit.SHARE, "customers at the start who are none at the end", "customers at the start", _ORDERS,
)  # fmt: skip
REPEAT_RATE = Definition(
    "repeat_rate", "Repeat purchase rate",
    "of the customers who bought in the window, the share with two orders or more",
    Unit.SHARE, "customers with 2 orders or more", "customers with 1 order or more", _ORDERS,
)  # fmt: skip
LIFETIME_VALUE = Definition(
    "lifetime_value", "Lifetime value so far",
    "what a customer has brought on average: (orders − refunds − credit notes) × margin",
    Unit.MONEY, "(orders − refunds − credit notes) × margin", "customers who ever bought", _ORDERS,
)  # fmt: skip

CSAT = Definition(
    "csat", "Satisfaction (CSAT)", "the share of 4 and 5 among the answers from 1 to 5",
    Unit.SHARE, "answers of 4 or 5", "answers", _ANSWERS,
)  # fmt: skip
NPS = Definition(
    "nps", "Recommendation (NPS)", "the percentage of 9 and 10 less that of 0 to 6, among the answers from 0 to 10",
    Unit.NET_SCORE, "answers of 9 or 10, less those of 0 to 6", "answers", _ANSWERS,
)  # fmt: skip
CES = Definition(
    "ces", "Ease (CES)", "the mean of the answers from 1 to 7, where 7 is easy",
    Unit.MEAN_SCORE, "points given", "answers", _ANSWERS,
)  # fmt: skip
RESPONSE_RATE = Definition(
    "response_rate", "Surveys answered", "of the questions asked in the window, the share that was answered",
    Unit.SHARE, "questions answered", "questions asked", _ANSWERS,
)  # fmt: skip

CONTAINMENT = Definition(
    "containment", "Containment",
    "of the visits that the assistant answered, the share without a hand-off to a person; a visit is what a customer "
    "writes in one conversation without a pause of an hour",
    Unit.SHARE, "visits without a hand-off", "visits that the assistant answered", _CHATS,
)  # fmt: skip
RESOLVED_CONTAINMENT = Definition(
    "resolved_containment", "Resolved containment",
    "of the same visits, the share without a hand-off and with a sign that it helped: a satisfaction of 4 or 5, or no "
    "other visit by the same person within 24 hours; visits of which that is not known yet are left out",
    Unit.SHARE, "visits without a hand-off, and with a good sign", "visits that can be judged by now", _CHATS,
)  # fmt: skip
HANDOFF_RATE = Definition(
    "handoff_rate", "Hand-off rate", "of the visits that the assistant answered, the share handed to a person",
    Unit.SHARE, "visits with a hand-off", "visits that the assistant answered", _CHATS,
)  # fmt: skip

FOUND_HELPFUL = Definition(
    "found_helpful", "Answers found helpful",
    "of the assistant's answers under which customers of the website chat said so, the share that helped them",
    Unit.SHARE, "answers found helpful", "answers judged", _CHATS,
)  # fmt: skip

ANSWERED_HANDOFFS = Definition(
    "answered_handoffs", "Hand-offs answered",
    "of the hand-offs requested in the window, the share that a person has answered",
    Unit.SHARE, "hand-offs with a person's reply", "hand-offs", _CHATS,
)  # fmt: skip


def _times(key: str, title: str, what: str, denominator: str) -> tuple[Definition, Definition, Definition, Definition]:
    """Median and 90th percentile, by the clock and in opening hours."""
    return (
        Definition(f"{key}_median", f"{title}, median", f"half of the times {what} are shorter",
                   Unit.DURATION, "", denominator, _CHATS),
        Definition(f"{key}_p90", f"{title}, 90%", f"nine in ten of the times {what} are shorter",
                   Unit.DURATION, "", denominator, _CHATS),
        Definition(f"{key}_open_median", f"{title} in opening hours, median",
                   f"counting only opening hours: half of the times {what} are shorter",
                   Unit.DURATION, "", denominator, f"{_CHATS}, opening hours"),
        Definition(f"{key}_open_p90", f"{title} in opening hours, 90%",
                   f"counting only opening hours: nine in ten of the times {what} are shorter",
                   Unit.DURATION, "", denominator, f"{_CHATS}, opening hours"),
    )  # fmt: skip


FIRST_RESPONSE = _times(
    "first_response", "First response", "from the request for a person to that person's first reply",
    "hand-offs with a person's reply",
)  # fmt: skip
RESOLUTION = _times(
    "resolution", "Resolution", "from the request for a person to the end of the hand-off",
    "hand-offs that have ended, without those whose customer went before",
)  # fmt: skip

POINTS_ISSUED = Definition(
    "points_issued", "Points issued", "points earned or given in the window, and balances brought along from elsewhere",
    Unit.POINTS, "points", None, _LEDGER,
)  # fmt: skip
POINTS_SPENT = Definition(
    "points_spent", "Points spent", "points redeemed in the window, less redemptions undone in it",
    Unit.POINTS, "points", None, _LEDGER,
)  # fmt: skip
POINTS_EXPIRED = Definition(
    "points_expired", "Points expired", "points that ran out in the window", Unit.POINTS, "points", None, _LEDGER
)
POINTS_TAKEN_BACK = Definition(
    "points_taken_back", "Points taken back", "points taken back in the window, for refunds and as corrections",
    Unit.POINTS, "points", None, _LEDGER,
)  # fmt: skip
POINTS_OUTSTANDING = Definition(
    "points_outstanding", "Points outstanding", "points that all customers together hold at the end of the window",
    Unit.POINTS, "points issued, less spent, expired and taken back", None, _LEDGER,
)  # fmt: skip
REDEMPTION_RATE = Definition(
    "redemption_rate", "Redemption rate", "points spent in the window as a share of those issued in it",
    Unit.SHARE, "points spent", "points issued", _LEDGER,
)  # fmt: skip

SALES = (REVENUE, ORDERS, AVERAGE_ORDER)
CUSTOMERS = (BUYERS, NEW_BUYERS, RETENTION, CHURN, REPEAT_RATE, LIFETIME_VALUE)
SATISFACTION = (CSAT, NPS, CES, RESPONSE_RATE)
ASSISTANT = (CONTAINMENT, RESOLVED_CONTAINMENT, HANDOFF_RATE, FOUND_HELPFUL)
PEOPLE = (ANSWERED_HANDOFFS, *FIRST_RESPONSE, *RESOLUTION)
POINTS = (POINTS_ISSUED, POINTS_SPENT, POINTS_EXPIRED, POINTS_TAKEN_BACK, POINTS_OUTSTANDING, REDEMPTION_RATE)

# In the order in which people read them.
GROUPS = {
    "Sales": SALES,
    "Customers": CUSTOMERS,
    "Satisfaction": SATISFACTION,
    "The assistant": ASSISTANT,
    "People behind it": PEOPLE,
    "Loyalty points": POINTS,
}
