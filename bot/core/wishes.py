"""What customers wish for: which wishes take several steps, and which ones are the same wish in other words."""

from __future__ import annotations

from collections.abc import Mapping

# A question that the shop's own answers settle; which of them does is found by similarity.
ASK_KNOWLEDGE = "ask_knowledge"

# Not a wish but a question of ours: how it was.
SURVEY = "survey"

# Nor is this one: how to reach somebody whom nobody could help at once.
LEAVE_CONTACT = "leave_contact"

# What leads to a task of its own by what is said, and not by how the message was understood.
SIGN_IN = "sign_in"
UNDO_REWARD = "undo_reward"

SIGN_OUT = "sign_out"
# Going on in a messaging app as the same customer.
CONNECT = "connect_messenger"

# Wishes that take questions and answers, one at a time; everything else is answered at once.
TASKS = frozenset(
    {
        *("track_order", "cancel_order", "change_order", "return_item", "report_problem"),
        *("get_refund", "track_refund", "check_invoice", "get_invoice"),
        *("change_shipping_address", "set_up_shipping_address"),
        *("complaint", "review", "give_feedback", "callback_request", SURVEY),
        *("check_points", "redeem_points", "check_punch_card", "birthday_treat", "refer_friend", "gift_card"),
        *("newsletter_subscription", "unsubscribe", "privacy_request", "delete_account"),
        *(SIGN_IN, UNDO_REWARD, CONNECT, LEAVE_CONTACT),
    }
)

# What it is about, by wish, for whom people are called; agents name the topics that they know.
TOPICS: Mapping[str, str] = {
    wish: topic
    for topic, wishes in {
        "orders": "place_order track_order order_history change_order cancel_order check_cancellation_fee",
        "returns": "return_item report_problem get_refund track_refund check_refund_policy",
        "payment": "check_invoice get_invoice check_payment_methods payment_issue use_promo_code",
        "delivery": "delivery_options delivery_period change_shipping_address set_up_shipping_address",
        "account": "create_account edit_account delete_account switch_account recover_password registration_problems "
        "newsletter_subscription unsubscribe privacy_request",
        "loyalty": "check_points redeem_points explain_loyalty check_punch_card birthday_treat refer_friend gift_card",
        "shop": "opening_hours store_location product_availability recommend_product contact_customer_service",
        "complaints": "complaint review give_feedback callback_request",
    }.items()
    for wish in wishes.split()
}

# What customers may want, as a shop's owner may name it.
WISHES = frozenset(TOPICS)

# Wishes as a customer would pick them, for when it is not clear which one was meant.
WISH_TITLES: Mapping[str, str] = {
    "place_order": "Order something",
    "track_order": "Where is my order?",
    "order_history": "See my orders",
    "change_order": "Change an order",
    "cancel_order": "Cancel an order",
    "check_cancellation_fee": "What cancelling costs",
    "return_item": "Send something back",
    "report_problem": "Something is wrong with my order",
    "get_refund": "Get my money back",
    "track_refund": "Where is my refund?",
    "check_refund_policy": "How refunds work",
    "check_invoice": "See an invoice",
    "get_invoice": "Get an invoice",
    "check_payment_methods": "How I can pay",
    "payment_issue": "My payment did not work",
    "use_promo_code": "Use a promo code",
    "delivery_options": "How you deliver",
    "delivery_period": "How long delivery takes",
    "change_shipping_address": "Change a delivery address",
    "set_up_shipping_address": "Set my delivery address",
    "create_account": "Create an account",
    "edit_account": "Change my account",
    "delete_account": "Delete my account",
    "switch_account": "Use another account",
    "sign_out": "Log me out",
    "connect_messenger": "Go on in Telegram",
    "recover_password": "I forgot my password",
    "registration_problems": "I cannot sign up",
    "newsletter_subscription": "Get the newsletter",
    "unsubscribe": "Stop the newsletter",
    "privacy_request": "My data and privacy",
    "opening_hours": "Opening hours",
    "store_location": "Where you are",
    "product_availability": "Do you have a product?",
    "recommend_product": "Recommend me something",
    "check_points": "My points",
    "redeem_points": "Use my points",
    "explain_loyalty": "How points work",
    "check_punch_card": "My punch card",
    "birthday_treat": "Birthday treat",
    "refer_friend": "Refer a friend",
    "gift_card": "Gift cards",
    "contact_human_agent": "Talk to a person",
    "contact_customer_service": "How to reach you",
    "complaint": "Make a complaint",
    "review": "Write a review",
    "give_feedback": "Give feedback",
    "callback_request": "Be called back",
    "ask_capabilities": "What you can do",
}

# Of these, the ones that only tell something, and change nothing; and the one that nobody wished for.
TELLING = frozenset(
    {
        *("track_order", "track_refund", "check_invoice", "get_invoice", SURVEY),
        *("check_points", "check_punch_card", "refer_friend", "gift_card", "privacy_request", SIGN_IN, CONNECT),
        LEAVE_CONTACT,
    }
)

# Answers to a question of ours, small talk, and what people say around a wish: never a wish beside another one. Whoever
# logs out in the same breath would not hear the answer to the rest.
NO_WISH = frozenset(
    {
        *("bot_challenge", "ask_capabilities", "give_feedback", "review"),
        *("greet", "goodbye", "thank", "affirm", "deny", "chitchat", "abuse", "repeat", "cancel_dialogue"),
        *("provide_details", "other_order", "out_of_scope", SIGN_OUT),
    }
)

# Whoever asks for one of these and for another of the same line has asked for one thing.
_SAME = (
    frozenset({"return_item", "get_refund", "track_refund", "report_problem", "complaint"}),
    frozenset({"check_invoice", "get_invoice"}),
    frozenset({"track_order", "delivery_period", "order_history"}),
    frozenset({"delivery_options", "delivery_period"}),
    frozenset({"cancel_order", "get_refund"}),
    frozenset({"change_order", "change_shipping_address", "set_up_shipping_address", "cancel_order"}),
    frozenset({"contact_human_agent", "contact_customer_service", "complaint", "callback_request", "report_problem"}),
    frozenset({"review", "give_feedback", "complaint"}),
    frozenset({"recover_password", "registration_problems", "create_account", "switch_account", SIGN_OUT}),
    frozenset({"edit_account", "change_shipping_address", "set_up_shipping_address"}),
    frozenset({"delete_account", "privacy_request"}),
    frozenset({"unsubscribe", "newsletter_subscription", "privacy_request"}),
    frozenset({"check_points", "redeem_points", "explain_loyalty", "check_punch_card"}),
    frozenset({"place_order", "product_availability", "recommend_product"}),
    frozenset({"payment_issue", "check_payment_methods", "use_promo_code"}),
)


def same_wish(one: str, other: str) -> bool:
    """Whether the two are one wish, said twice."""
    return one == other or any(one in line and other in line for line in _SAME)
