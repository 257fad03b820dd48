"""The page of a question: programs that open links say nothing by that, and people say it once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bot.core.feedback import MAX_FEEDBACK_CHARACTERS, Feedback, FeedbackId, FeedbackKind
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import (
    BadToken,
    ExpiredToken,
    issue_feedback_token,
    issue_invoice_token,
    issue_visitor_token,
    read_feedback_token,
    read_invoice_token,
)
from bot.services.ids import new_id
from tests.builders import a_customer
from tests.gateway.conftest import broken_database
from tests.gateway.test_invoices import Page
from tests.gateway.tokens import IDENTITY_SECRET, SECRET, identity_token, signed

HOUR = timedelta(hours=1)
XSS = """</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"'{{ 7 * 7 }}{% raw %}&lt;"""


def now() -> datetime:
    return datetime.now(timezone.utc)


async def asked(gateway, *, kind=FeedbackKind.CSAT, customer=None, **changes):
    customer = customer or a_customer(name="Maria Santos")
    feedback = Feedback(
        **{
            "id": FeedbackId(new_id()),
            "kind": kind,
            "key": new_id(),
            "customer_id": customer.id,
            "order_number": "TC-10001",
            "asked_at": now(),
            **changes,
        }
    )
    async with gateway.store.transaction() as work:
        await work.customers.add(customer)
        await work.feedback.add(feedback)
    return feedback


def token_of(feedback, at=None, secret=SECRET):
    return issue_feedback_token(feedback.id, secret, at or now())


async def get(gateway, token, query=""):
    async with gateway.session.get(f"{gateway.url}/feedback/{token}{query}") as response:
        assert response.content_type == "text/html"
        return response.status, Page(await response.text())


async def post(gateway, token, **fields):
    async with gateway.session.post(f"{gateway.url}/feedback/{token}", data=fields) as response:
        assert response.content_type == "text/html"
        return response.status, Page(await response.text())


def stored(gateway, feedback):
    return gateway.rows("SELECT score, text, answered_at FROM feedback WHERE id = ?", feedback.id)[0]


def chosen(page):
    return [attributes["value"] for tag, attributes in page.tags if tag == "input" and "checked" in attributes]


def offered(page):
    return [attributes["value"] for tag, attributes in page.tags if tag == "input"]


def test_a_link_leads_to_the_public_address_and_ends_by_itself():
    links = SignedLinks("https://chat.example", SECRET, 24)

    url = links.feedback("f1", now(), 4)
    old = links.feedback("f1", now() - timedelta(days=31))

    address, _, query = url.partition("?")
    assert (address.startswith("https://chat.example/feedback/"), query) == (True, "score=4")
    assert read_feedback_token(address.rpartition("/")[2], SECRET) == "f1"
    with pytest.raises(ExpiredToken):
        read_feedback_token(old.rpartition("/")[2], SECRET)


async def test_the_page_shows_the_question_its_scores_and_their_ends(gateway):
    feedback = await asked(gateway)

    status, page = await get(gateway, token_of(feedback))

    assert status == 200
    assert "How happy are you with your order TC-10001?" in page.text
    assert offered(page) == ["1", "2", "3", "4", "5"]
    assert chosen(page) == []
    assert "1: very unhappy" in page.text
    assert "5: very happy" in page.text
    assert gateway.shop.name in page.text


@pytest.mark.parametrize(("query", "score"), [("?score=4", ["4"]), ("?score=1", ["1"]), ("", [])])
async def test_the_score_of_the_link_is_chosen_in_advance(gateway, query, score):
    _, page = await get(gateway, token_of(await asked(gateway)), query)

    assert chosen(page) == score


@pytest.mark.parametrize("score", ["0", "6", "-1", "4.0", "four", "٣", "1" * 5_000, "", "<script>", "4&score=1"])
async def test_any_other_score_in_a_link_is_none(gateway, score):
    feedback = await asked(gateway)

    status, page = await get(gateway, token_of(feedback), f"?score={score}")

    assert (status, len(offered(page))) == (200, 5)
    assert chosen(page) == (["4"] if score.startswith("4&") else [])


async def test_programs_that_check_mails_record_nothing(gateway):
    feedback = await asked(gateway)
    token = token_of(feedback)

    for score in (1, 2, 3, 4, 5, 1):
        await get(gateway, token, f"?score={score}")
        async with gateway.session.head(f"{gateway.url}/feedback/{token}?score={score}") as response:
            assert response.status == 200

    assert stored(gateway, feedback) == (None, None, None)
    assert gateway.rows("SELECT count(*) FROM service_requests") == [(0,)]
    assert gateway.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_the_button_records_the_answer(gateway):
    feedback = await asked(gateway)

    status, page = await post(gateway, token_of(feedback), score="4", text="A bit pricey.\r\nBut good.")

    assert status == 200
    assert "Thank you" in page.text
    score, text, answered_at = stored(gateway, feedback)
    assert (score, text) == (4, "A bit pricey.\nBut good.")
    assert answered_at is not None
    assert gateway.rows("SELECT theme, because FROM feedback_themes") == [("price", "pricey")]


async def test_the_button_pressed_twice_or_by_many_at_once_records_once(gateway):
    feedback = await asked(gateway)
    token = token_of(feedback)

    answers = await asyncio.gather(*(post(gateway, token, score="1", text="Late.") for _ in range(6)))

    assert {status for status, _ in answers} == {200}
    assert gateway.rows("SELECT score, text FROM feedback") == [(1, "Late.")]
    assert gateway.rows("SELECT count(*) FROM service_requests") == [(1,)]
    assert gateway.rows("SELECT count(*) FROM outbox") == [(1,)]


async def test_an_answer_can_be_put_right_for_an_hour(gateway):
    feedback = await asked(gateway)
    token = token_of(feedback)
    await post(gateway, token, score="4", text="Good.")

    _, page = await get(gateway, token)
    assert (chosen(page), "you can still change it" in page.text) == (["4"], True)
    assert "Good." in page.text
    await post(gateway, token, score="5", text="Very good.")
    assert stored(gateway, feedback)[:2] == (5, "Very good.")
    gateway.clock.ahead = 2 * HOUR

    _, page = await get(gateway, token, "?score=1")
    assert (offered(page), "We have your answer" in page.text) == ([], True)
    status, _ = await post(gateway, token, score="1", text="Bad.")
    assert status == 200
    assert stored(gateway, feedback)[:2] == (5, "Very good.")


@pytest.mark.parametrize(
    "fields", [{}, {"score": "", "text": "Words."}, {"score": "9"}, {"score": "4.5"}, {"text": "x"}]
)
async def test_without_a_score_the_page_comes_back_with_the_words(gateway, fields):
    feedback = await asked(gateway)

    status, page = await post(gateway, token_of(feedback), **fields)

    assert (status, "Please choose a score." in page.text) == (400, True)
    assert fields.get("text", "") in page.text
    assert stored(gateway, feedback) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "content_type", "score"),
    [
        (b"score=4", "text/plain", None),
        (b'{"score": 4}', "application/json", None),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", None),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded", None),
        (b"&".join([b"score=4"] * 1_000), "application/x-www-form-urlencoded", None),
        (b"score=4&text=%ff%fe", "application/x-www-form-urlencoded", 4),
        (b"score=4", "application/x-www-form-urlencoded; charset=nonsense", 4),
        (b"score=1&score=4", "application/x-www-form-urlencoded", 4),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_is_no_form_of_ours_is_read_as_far_as_it_can_be(gateway, body, content_type, score):
    feedback = await asked(gateway)
    url = f"{gateway.url}/feedback/{token_of(feedback)}"

    async with gateway.session.post(url, data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == (200 if score else 400)
    assert stored(gateway, feedback)[0] == score


async def test_endless_words_are_cut(gateway):
    feedback = await asked(gateway)

    status, _ = await post(gateway, token_of(feedback), score="4", text="x" * 20_000)

    assert status == 200
    assert len(stored(gateway, feedback)[1]) == MAX_FEEDBACK_CHARACTERS


async def test_a_body_beyond_all_bounds_is_refused(gateway):
    feedback = await asked(gateway)

    async with gateway.session.post(
        f"{gateway.url}/feedback/{token_of(feedback)}", data={"score": "4", "text": "x" * 200_000}
    ) as response:
        assert response.status == 413
    assert stored(gateway, feedback) == (None, None, None)


async def test_a_low_score_is_answered_with_a_question_and_a_person(gateway):
    feedback = await asked(gateway)

    _, page = await post(gateway, token_of(feedback), score="1", text="")

    assert "What can we do to put it right?" in page.text
    assert gateway.rows("SELECT kind, customer_id FROM service_requests") == [("feedback", feedback.customer_id)]


async def test_a_promoter_hears_how_to_say_more_and_what_it_earned(gateway):
    _, page = await post(gateway, token_of(await asked(gateway)), score="5", text="")
    assert "Would you write a review?" in page.text
    assert "5 points more" in page.text

    _, page = await post(gateway, token_of(await asked(gateway, kind=FeedbackKind.NPS)), score="10", text="")
    assert "Ask Suki in the chat for your code" in page.text


async def test_the_page_is_neither_kept_nor_framed_and_sends_its_form_to_itself_alone(gateway):
    feedback = await asked(gateway)
    pages = [
        (gateway.session.get, token_of(feedback), 200, "'self'"),
        (gateway.session.get, "x.y.z", 404, "'none'"),
        (gateway.session.get, token_of(feedback, now() - timedelta(days=31)), 410, "'none'"),
        (gateway.session.post, token_of(feedback), 400, "'self'"),
    ]
    for request, token, status, forms in pages:
        async with request(f"{gateway.url}/feedback/{token}") as response:
            assert response.status == status
            assert response.headers["Content-Security-Policy"] == (
                f"default-src 'none'; style-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
            )
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "noindex" in response.headers["X-Robots-Tag"]
            page = Page(await response.text())
        assert {tag for tag, _ in page.tags} & {"script", "style", "img", "iframe", "object"} == set()
        assert not any(name == "style" or name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert all("action" not in attributes for tag, attributes in page.tags if tag == "form")
        for sheet in [attributes["href"] for tag, attributes in page.tags if tag == "link"]:
            async with gateway.session.get(f"{gateway.url}{sheet}") as response:
                assert response.status == 200


async def test_whatever_the_words_hold_they_are_only_words(gateway):
    feedback = await asked(gateway, order_number=XSS[:32])
    token = token_of(feedback)

    refused, first = await post(gateway, token, text=XSS)
    await post(gateway, token, score="4", text=XSS)
    status, second = await get(gateway, token)

    assert (refused, status) == (400, 200)
    assert stored(gateway, feedback)[1] == XSS
    for page in (first, second):
        assert "<script>alert(1)</script>" in page.text
        assert "{{ 7 * 7 }}{% raw %}&lt;" in page.text
        assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
        assert [tag for tag, _ in page.tags].count("textarea") == 1
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


# Links that show nothing


async def test_a_question_that_is_over_says_so(gateway):
    feedback = await asked(gateway)
    old = token_of(feedback, now() - timedelta(days=31))

    for status, page in (await get(gateway, old), await post(gateway, old, score="4")):
        assert (status, "not open any more" in page.text) == (410, True)
    assert stored(gateway, feedback) == (None, None, None)


async def test_the_question_of_an_erased_customer_is_over(gateway):
    customer = replace(a_customer(), email=None, erased_at=now())
    feedback = await asked(gateway, customer=customer)

    for status, page in (
        await get(gateway, token_of(feedback)),
        await post(gateway, token_of(feedback), score="1", text="Late."),
    ):
        assert (status, "not open any more" in page.text) == (410, True)
    assert stored(gateway, feedback) == (None, None, None)
    assert gateway.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.parametrize("feedback_id", ["", "nothing", "' OR 1=1 --"])
async def test_a_link_to_no_question_is_over(gateway, feedback_id):
    token = issue_feedback_token(feedback_id, SECRET, now())

    assert (await get(gateway, token))[0] == 410
    assert (await post(gateway, token, score="4"))[0] == 410


async def test_what_nobody_was_asked_has_no_page(gateway):
    complaint = await asked(gateway, kind=FeedbackKind.COMPLAINT, asked_at=None, answered_at=now(), text="Late.")

    status, page = await get(gateway, token_of(complaint))

    assert (status, "Late." in page.text) == (410, False)


def claims(**changes):
    at = int(time.time())
    return {"aud": "feedback", "feedback": "f1", "iat": at, "exp": at + 3_000, **changes}


FORGED = {
    "another secret": signed(claims(), IDENTITY_SECRET),
    "no algorithm": signed(claims(), SECRET, {"alg": "none", "typ": "JWT"}),
    "for an invoice": issue_invoice_token("f1", SECRET, datetime.now(timezone.utc), HOUR),
    "for visitors": issue_visitor_token("f1", SECRET, datetime.now(timezone.utc)),
    "the shop's": identity_token(),
    "another audience": signed(claims(aud="invoice"), SECRET),
    "without an end": signed({key: value for key, value in claims().items() if key != "exp"}, SECRET),
    "without a question": signed({key: value for key, value in claims().items() if key != "feedback"}, SECRET),
    "a list": signed(claims(feedback=["f1"]), SECRET),
    "nothing of the kind": "x.y.z",
    "too long": "a" * 5_000,
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_link_shows_and_records_nothing(gateway, token):
    feedback = await asked(gateway, id=FeedbackId("f1"))

    assert (await get(gateway, token))[0] == 404
    assert (await post(gateway, token, score="1", text="Forged."))[0] == 404
    assert stored(gateway, feedback) == (None, None, None)
    with pytest.raises(BadToken):
        read_feedback_token(token, SECRET)


async def test_the_link_of_a_question_opens_nothing_else(gateway):
    token = issue_feedback_token("TC-10001", SECRET, now())

    with pytest.raises(BadToken):
        read_invoice_token(token, SECRET)


async def test_without_the_database_the_page_asks_for_patience(gateway):
    token = token_of(await asked(gateway))
    gateway.db.error = broken_database()

    for status, page in (await get(gateway, token), await post(gateway, token, score="4")):
        assert (status, "in a minute" in page.text) == (503, True)


async def test_a_fault_is_logged_without_the_link(gateway, monkeypatch, caplog):
    from bot.gateway import feedback as page

    token = token_of(await asked(gateway))
    monkeypatch.setattr(page, "html_page", lambda *_, **__: 1 / 0)

    async with gateway.session.get(f"{gateway.url}/feedback/{token}") as response:
        assert response.status == 500

    assert "/feedback/{token}" in caplog.text
    assert token not in caplog.text
