"""Who may see which conversation: visitor tokens, identity tokens, and the origins of pages."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import aiohttp
import pytest

from bot.core.conversations import ConversationId
from bot.gateway.tokens import BadToken, issue_visitor_token, read_identity_token, read_visitor_token
from tests.gateway.conftest import SHOP_ORIGIN
from tests.gateway.tokens import IDENTITY_SECRET, SECRET, identity_claims, identity_token, signed

HOUR = 3_600
CID = "0123456789abcdef0123456789abcdef"


def now() -> int:
    return int(time.time())


def visitor_claims(**changes) -> dict:
    without = changes.pop("without", ())
    claims = {"aud": "kasuki-visitor", "cid": CID, "iat": now(), "exp": now() + HOUR, **changes}
    return {name: value for name, value in claims.items() if name not in without}


def tampered(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def bad_in_any_token() -> dict[str, str]:
    """What is no token at all."""
    return {
        "empty": "",
        "no token": "hello",
        "dots": "..",
        "four parts": "a.b.c.d",
        "half a character": "\ud800.\ud800.\ud800",
        "a NUL": "\0.\0.\0",
        "over-long": "a" * 4_097,
        "over-long and signed": signed(identity_claims(padding="p" * 4_000), IDENTITY_SECRET),
        "foreign letters": "字.字.字",
    }


def bad_identity_tokens() -> dict[str, str]:
    """Made anew each time, so that each is bad for its own reason and not for its age."""
    return {
        **bad_in_any_token(),
        "forged": signed(identity_claims(), "x" * 40),
        "tampered": tampered(identity_token()),
        "signed with the secret of visitors": signed(identity_claims(), SECRET),
        "alg none": signed(identity_claims(), IDENTITY_SECRET, {"alg": "none", "typ": "JWT"}).rpartition(".")[0] + ".",
        "alg none with a signature": signed(identity_claims(), IDENTITY_SECRET, {"alg": "none"}),
        "another algorithm": signed(identity_claims(), IDENTITY_SECRET, {"alg": "HS512"}),
        "no algorithm": signed(identity_claims(), IDENTITY_SECRET, {}),
        "claims that are a list": signed([identity_claims()], IDENTITY_SECRET),
        "claims that are null": signed(None, IDENTITY_SECRET),
        "expired": identity_token(iat=now() - HOUR, exp=now() - 120),
        "without an expiry": identity_token(without=["exp"]),
        "without an issue date": identity_token(without=["iat"]),
        "without a subject": identity_token(without=["sub"]),
        "without an audience": identity_token(without=["aud"]),
        "without a name": identity_token(without=["name"]),
        "valid for more than an hour": identity_token(exp=now() + 2 * HOUR),
        "valid for more than an hour, partly over": identity_token(iat=now() - HOUR, exp=now() + HOUR // 2),
        "valid for more than an hour, issued in the future": identity_token(iat=now() + HOUR, exp=now() + 2 * HOUR),
        "not valid yet": identity_token(nbf=now() + HOUR),
        "a foreign audience": identity_token(aud="another-shop"),
        "the audience of visitors": identity_token(aud="kasuki-visitor"),
        "an audience that is a number": identity_token(aud=5),
        "an expiry that is a text": identity_token(exp="tomorrow"),
        "an expiry that is a list": identity_token(exp=[now() + 60]),
        "an expiry that is null": identity_token(exp=None),
        "an expiry that is NaN": identity_token(exp=float("nan")),
        "an expiry that is infinite": identity_token(exp=float("inf")),
        "an expiry that is huge": identity_token(exp=10**300),
        "an issue date that is NaN": identity_token(iat=float("nan")),
        "an issue date that is huge and negative": identity_token(iat=-(10**300)),
        "an issue date that is an object": identity_token(iat={}),
        "a subject that is a number": identity_token(sub=1001),
        "a subject that is null": identity_token(sub=None),
        "a subject that is empty": identity_token(sub=""),
        "a subject of spaces": identity_token(sub="   "),
        "a subject with a newline": identity_token(sub="S-1\n"),
        "a subject with a NUL": identity_token(sub="S\0"),
        "a subject that is too long": identity_token(sub="S" * 201),
        "a name that is empty": identity_token(name=""),
        "a name of spaces": identity_token(name="  "),
        "a name that is a number": identity_token(name=5),
        "a name that is too long": identity_token(name="A" * 201),
        "a name with a newline": identity_token(name="Ana\r\nBcc: all@example.com"),
        "a name with a NUL": identity_token(name="Ana\0"),
        "a name with an escape": identity_token(name="\x1b[31mAna"),
        "a name with a C1 control": identity_token(name="Ana\x85"),
        "a name with half a character": identity_token(name="Ana \ud83d"),
        "an e-mail that is none": identity_token(email="ana"),
        "an e-mail that is a list": identity_token(email=["ana@example.com"]),
        "an e-mail with a newline": identity_token(email="ana@example.com\nBcc: all@example.com"),
        "an e-mail with a line separator": identity_token(email="ana\u2028Bcc: all@example.com"),
        "an e-mail with a space": identity_token(email="ana cruz@example.com"),
        "two e-mails": identity_token(email="ana@example.com, ben@example.com"),
        "an e-mail without a host": identity_token(email="ana@"),
        "an e-mail with a NUL": identity_token(email="ana\0@example.com"),
        "an e-mail that is too long": identity_token(email="a" * 250 + "@example.com"),
        "an e-mail that is too long in small letters": identity_token(email="\u0130" * 200 + "@example.com"),
        "an e-mail with half a character": identity_token(email="\ud800@example.com"),
        "a visitor token": signed(visitor_claims(), SECRET),
    }


def bad_visitor_tokens() -> dict[str, str]:
    """Made anew each time, too."""
    return {
        **bad_in_any_token(),
        "forged": signed(visitor_claims(), "x" * 40),
        "tampered": tampered(signed(visitor_claims(), SECRET)),
        "signed with the secret of identities": signed(visitor_claims(), IDENTITY_SECRET),
        "alg none": signed(visitor_claims(), SECRET, {"alg": "none"}).rpartition(".")[0] + ".",
        "another algorithm": signed(visitor_claims(), SECRET, {"alg": "HS512"}),
        "expired": signed(visitor_claims(iat=now() - 2 * HOUR, exp=now() - HOUR), SECRET),
        "without an expiry": signed(visitor_claims(without=["exp"]), SECRET),
        "without a conversation": signed(visitor_claims(without=["cid"]), SECRET),
        "a conversation that is a number": signed(visitor_claims(cid=5), SECRET),
        "a conversation that is a list": signed(visitor_claims(cid=[CID]), SECRET),
        "a foreign audience": signed(visitor_claims(aud="kasuki-desk"), SECRET),
        "the audience of identities": signed(visitor_claims(aud="kasuki"), SECRET),
        "an identity token": identity_token(),
    }


# Tokens


@pytest.mark.parametrize("name", bad_identity_tokens())
def test_a_bad_identity_token_is_nobodys(name):
    with pytest.raises(BadToken):
        read_identity_token(bad_identity_tokens()[name], IDENTITY_SECRET)


@pytest.mark.parametrize("name", bad_visitor_tokens())
def test_a_bad_visitor_token_opens_nothing(name):
    with pytest.raises(BadToken):
        read_visitor_token(bad_visitor_tokens()[name], SECRET)


def test_a_good_identity_token_says_who_it_is_and_until_when():
    until = now() + 60
    token = identity_token(sub=" S 1 ", name=" Ñiña O'Neil ", email="Ana@Example.COM ", exp=until)

    identity = read_identity_token(token, IDENTITY_SECRET)

    assert (identity.external_id, identity.name, identity.email) == (" S 1 ", "Ñiña O'Neil", "ana@example.com")
    assert identity.expires_at == datetime.fromtimestamp(until, timezone.utc)


def test_an_identity_token_may_be_valid_for_an_hour_and_need_not_have_an_email():
    identity = read_identity_token(identity_token(exp=now() + HOUR, email=None), IDENTITY_SECRET)

    assert identity.email is None


def test_a_visitor_token_opens_its_conversation_for_months():
    token = issue_visitor_token(ConversationId(CID), SECRET, datetime.now(timezone.utc) - timedelta(days=80))

    assert read_visitor_token(token, SECRET) == CID


# Conversations


@pytest.mark.parametrize("name", ["forged", "tampered", "expired", "alg none", "a foreign audience", "over-long"])
async def test_a_bad_identity_token_makes_nobody_and_says_so(gateway, name):
    chat = await gateway.connect()
    ready = await chat.hello(identity_token=bad_identity_tokens()[name])

    assert (await chat.error())["code"] == "unauthorized"
    assert ready["customer"] is None
    assert gateway.rows("SELECT count(*) FROM customers") == [(0,)]
    assert await chat.ask("hi") == "echo: hi"


@pytest.mark.parametrize("name", ["forged", "tampered", "expired", "alg none", "an identity token"])
async def test_a_bad_visitor_token_begins_another_conversation_and_says_so(gateway, name):
    own = await gateway.chat()
    await own.ask("my secret")
    forged = {
        "tampered": tampered(own.visitor_token),
        "forged": signed(visitor_claims(cid=own.conversation_id), "x" * 40),
        "alg none": signed(visitor_claims(cid=own.conversation_id), SECRET, {"alg": "none"}).rpartition(".")[0] + ".",
        "expired": signed(visitor_claims(cid=own.conversation_id, exp=now() - HOUR), SECRET),
    }
    stranger = await gateway.connect()
    ready = await stranger.hello(visitor_token=forged.get(name, bad_visitor_tokens()[name]))

    assert (await stranger.error())["code"] == "unauthorized"
    assert ready["conversation_id"] != own.conversation_id
    assert ready["seq"] == 0
    assert await stranger.is_silent()


async def test_the_error_comes_before_ready(gateway):
    socket = await gateway.connect()
    await socket.send({"type": "hello", "identity_token": "forged", "last_seq": 0})

    assert [(await socket.socket.receive_json())["type"] for _ in range(2)] == ["error", "ready"]


@pytest.mark.parametrize("cid", ["", "no-such-conversation", "\0", "x" * 1_000, "' OR 1=1 --"], ids=ascii)
async def test_a_visitor_token_for_a_conversation_that_is_gone_begins_another(gateway, cid):
    chat = await gateway.chat(visitor_token=signed(visitor_claims(cid=cid), SECRET))

    assert chat.conversation_id != cid
    assert await chat.ask("hi") == "echo: hi"


async def test_a_visitor_token_opens_no_conversation_of_another_channel(gateway):
    await gateway.webhook({"sender": "a-program", "message": "hi"})
    ((cid,),) = gateway.rows("SELECT id FROM conversations WHERE channel = 'rest'")

    chat = await gateway.chat(visitor_token=signed(visitor_claims(cid=cid), SECRET))

    assert chat.conversation_id != cid


async def test_an_identity_names_the_customer(gateway, demo_people):
    chat = await gateway.chat(identity_token=identity_token(sub="C-1001", name="M. Santos", email="maria@example.com"))

    assert chat.ready["customer"] == {"name": "Maria Santos"}
    customer = demo_people["maria@example.com"]
    assert gateway.rows("SELECT customer_id FROM conversations") == [(customer.id,)]


async def test_the_identity_of_an_unknown_customer_makes_the_customer_once(gateway):
    for _ in range(2):
        chat = await gateway.chat(identity_token=identity_token(email="Ana@Example.com"))
        assert chat.ready["customer"] == {"name": "Ana Cruz"}

    assert gateway.rows("SELECT external_id, name, email FROM customers") == [("S-1", "Ana Cruz", "ana@example.com")]


async def test_an_email_in_an_identity_does_not_make_somebody_the_customer_who_has_it(gateway, demo_people):
    chat = await gateway.chat(identity_token=identity_token(sub="S-9", name="Mallory", email="maria@example.com"))

    assert chat.ready["customer"] == {"name": "Mallory"}
    assert gateway.rows("SELECT count(*) FROM customers") == [(len(demo_people) + 1,)]


async def test_signing_in_keeps_the_conversation_that_was_begun_before(gateway):
    visitor = await gateway.chat()
    await visitor.ask("who am I?")

    customer = await gateway.chat(visitor_token=visitor.visitor_token, identity_token=identity_token())

    assert customer.conversation_id == visitor.conversation_id
    assert customer.ready["customer"] == {"name": "Ana Cruz"}
    assert [frame["seq"] for frame in await customer.messages(2)] == [1, 2]


async def test_a_customers_conversation_opens_without_the_identity_only_while_the_proof_holds(gateway):
    signed_in = await gateway.chat(identity_token=identity_token())
    await signed_in.ask("something private")
    token = signed_in.visitor_token

    reloaded = await gateway.chat(visitor_token=token)
    assert reloaded.conversation_id == signed_in.conversation_id
    assert reloaded.ready["customer"] == {"name": "Ana Cruz"}

    gateway.clock.ahead = timedelta(hours=2)
    stranger = await gateway.chat(visitor_token=token)
    assert stranger.conversation_id != signed_in.conversation_id
    assert stranger.ready["customer"] is None
    assert await stranger.is_silent()
    assert (await gateway.post({"type": "typing"}, token))[0] == 401
    async with gateway.session.get(
        f"{gateway.url}/chat/events", headers={"Authorization": f"Bearer {token}"}
    ) as response:
        assert response.status == 401


async def test_a_customer_who_signs_in_again_finds_the_conversation(gateway):
    before = await gateway.chat(identity_token=identity_token())
    await before.ask("remember this")
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(before.conversation_id))
        assert conversation.verified_until is not None
    gateway.clock.ahead = timedelta(hours=2)

    again = await gateway.chat(visitor_token=before.visitor_token, identity_token=identity_token())

    assert again.conversation_id == before.conversation_id


async def test_another_customer_on_the_same_computer_gets_a_conversation_of_their_own(gateway):
    ana = await gateway.chat(identity_token=identity_token())
    await ana.ask("something private")

    ben = await gateway.chat(
        visitor_token=ana.visitor_token, identity_token=identity_token(sub="S-2", name="Ben", email="ben@example.com")
    )

    assert ben.conversation_id != ana.conversation_id
    assert (ben.ready["customer"], ben.ready["seq"]) == ({"name": "Ben"}, 0)
    assert await ben.is_silent()


# Origins

FOREIGN = [
    "https://evil.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil.example",
    "https://SHOP.example",
    "https://shop.example/",
    "null",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_is_refused_everywhere(gateway, origin):
    headers = {"Origin": origin}
    visitor = await gateway.chat()

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.connect(headers=headers)
    status, body = await gateway.post(
        {"type": "message", "client_id": "0" * 36, "text": "hi"}, visitor.visitor_token, headers=headers
    )
    async with gateway.session.get(
        f"{gateway.url}/chat/events", headers={**headers, "Authorization": f"Bearer {visitor.visitor_token}"}
    ) as events:
        assert (refused.value.status, status, events.status) == (403, 403, 403)
        assert events.content_type == "application/problem+json"
    assert "business.yml" in body["detail"]
    assert gateway.open_sockets() == 1


async def test_the_shops_page_is_let_in_everywhere(gateway):
    headers = {"Origin": SHOP_ORIGIN}
    chat = await gateway.connect(headers=headers)
    await chat.hello()

    assert (await gateway.post({"type": "typing"}, chat.visitor_token, headers=headers))[0] == 200
    async with gateway.events(chat.visitor_token, headers=headers):
        assert await chat.ask("hi") == "echo: hi"
