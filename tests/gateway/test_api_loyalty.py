"""What an account page and a counter ask of the shop API: standing, rewards, stamps, consents."""

from __future__ import annotations

import pytest

from bot.core.ledger import EntryKind
from bot.services.consents import record_consent
from bot.services.ledger import award_points
from tests.gateway.api_client import Api, fields

CONSENT = {"channel": "email", "purpose": "marketing", "granted": True, "wording": "Yes, write to me."}


@pytest.fixture
async def api(quiet_gateway):
    api = Api(quiet_gateway)
    await api.put_customer("C-1")
    return api


@pytest.fixture
def reward(api):
    """The cheapest reward of the shop."""
    return min(api.gateway.shop.loyalty.rewards, key=lambda one: one.points)


@pytest.fixture
def card(api):
    return api.gateway.shop.loyalty.punch_cards[0]


async def give(api, points):
    async with api.gateway.store.transaction() as work:
        maria = await work.customers.by_external_id("C-1")
        await award_points(work, api.gateway.clock, maria.id, EntryKind.GOODWILL, points, key=f"gift {points}")


async def test_an_account_page_has_all_that_it_shows(api, reward, card):
    await give(api, reward.points)

    told = await api.get("/customers/C-1/loyalty")

    assert (told["external_id"], told["points"]["available"]) == ("C-1", reward.points)
    program = api.gateway.shop.loyalty
    assert (told["tier"]["id"], told["tier"]["next_id"]) == (program.tiers.tiers[0].id, program.tiers.tiers[1].id)
    assert [(one["card"], one["stamps"], one["needed"]) for one in told["cards"]] == [(card.id, 0, card.stamps)]
    assert {one["id"] for one in told["rewards"] if one["affordable"]} == {reward.offer.id}
    assert told["vouchers"] == []


async def test_a_reward_costs_its_points_once(api, reward):
    await give(api, reward.points)

    first = await api.call("POST", "/customers/C-1/rewards", {"key": "r-1", "reward": reward.offer.id})
    assert (first[0], first[1]["title"]) == (200, reward.offer.title)
    assert await api.call("POST", "/customers/C-1/rewards", {"key": "r-1", "reward": reward.offer.id}) == first
    told = await api.get("/customers/C-1/loyalty")
    assert (told["points"]["available"], told["vouchers"]) == (0, [first[1]])


async def test_a_reward_that_costs_too_much_says_how_much_there_is(api, reward):
    await give(api, reward.points - 1)

    status, problem = await api.call("POST", "/customers/C-1/rewards", {"key": "r-1", "reward": reward.offer.id})

    assert (status, problem["code"], problem["available"]) == (409, "insufficient_points", reward.points - 1)


async def test_a_reward_that_there_is_not_is_refused(api):
    status, problem = await api.call("POST", "/customers/C-1/rewards", {"key": "r-1", "reward": "yacht"})

    assert (status, problem["code"], problem["reason"]) == (422, "ledger_refused", "no_reward")


async def test_a_card_is_stamped_once_for_each_key_and_a_full_one_brings_a_voucher(api, card):
    body = {"key": "till-1", "card": card.id, "stamps": card.stamps + 1}

    for _ in range(2):
        status, told = await api.call("POST", "/customers/C-1/stamps", body)
        assert (status, told["stamps"], len(told["vouchers"])) == (200, 1, 1)
    status, problem = await api.call("POST", "/customers/C-1/stamps", {**body, "stamps": 1})
    assert (status, problem["code"]) == (409, "key_reused")


async def test_stamps_that_cannot_be_are_refused(api, card):
    status, problem = await api.call("POST", "/customers/C-1/stamps", {"key": "k", "card": "none", "stamps": 1})
    assert (status, problem["reason"]) == (422, "unknown_card")
    status, problem = await api.call("POST", "/customers/C-1/stamps", {"key": "k", "card": card.id, "stamps": 101})
    assert (status, fields(problem)) == (422, ["stamps"])


def allowed(answer):
    return {f"{one['channel']} {one['purpose']}" for one in answer["consents"] if one["allowed"]}


async def test_a_consent_is_noted_once_and_can_be_taken_back(api):
    assert allowed(await api.get("/customers/C-1/consents")) == {"email feedback", "email loyalty", "email service"}

    for _ in range(2):
        status, answer = await api.call("PUT", "/customers/C-1/consents", {"consents": [CONSENT]})
        assert (status, allowed(answer)) == (
            200,
            {"email marketing", "email feedback", "email loyalty", "email service"},
        )
    assert api.gateway.rows("SELECT count(*) FROM consents") == [(1,)]
    _, answer = await api.call("PUT", "/customers/C-1/consents", {"consents": [{**CONSENT, "granted": False}]})
    assert allowed(answer) == {"email feedback", "email loyalty", "email service"}


async def test_mails_about_the_programme_can_be_refused_by_themselves(api):
    no = {**CONSENT, "purpose": "loyalty", "granted": False}

    status, answer = await api.call("PUT", "/customers/C-1/consents", {"consents": [no]})

    assert (status, allowed(answer)) == (200, {"email feedback", "email service"})


async def test_a_no_that_somebody_said_themselves_stays(api):
    async with api.gateway.store.transaction() as work:
        await record_consent(
            *(work, api.gateway.clock),
            channel="email",
            address="maria@example.com",
            purpose="marketing",
            granted=False,
            wording="Unsubscribed.",
            source="link",
        )

    _, answer = await api.call("PUT", "/customers/C-1/consents", {"consents": [CONSENT]})

    assert "email marketing" not in allowed(answer)


async def test_a_consent_needs_an_address_to_be_about(api):
    status, problem = await api.call(
        "PUT", "/customers/C-1/consents", {"consents": [CONSENT, {**CONSENT, "channel": "phone"}]}
    )

    assert (status, fields(problem)) == (422, ["consents[1].channel"])
    assert api.gateway.rows("SELECT count(*) FROM consents") == [(0,)]


async def test_nobodys_loyalty_is_a_404(api, reward, card):
    for method, path, body in [
        ("GET", "loyalty", None),
        ("GET", "consents", None),
        ("PUT", "consents", {"consents": [CONSENT]}),
        ("POST", "rewards", {"key": "k", "reward": reward.offer.id}),
        ("POST", "stamps", {"key": "k", "card": card.id, "stamps": 1}),
    ]:
        assert (await api.call(method, f"/customers/C-9/{path}", body))[0] == 404, path
