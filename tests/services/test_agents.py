"""The people at the desk: passwords, locked accounts, sessions that end, and who may manage whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.core.agents import FIRST_LOCK, IDLE_FOR, LONGEST_LOCK, SESSION_LENGTH, WRONG_PASSWORDS_ALLOWED, Presence, Role
from bot.errors import AgentRefused, SignInRefused
from bot.services import agents, wrong_passwords
from bot.services.agent_changes import AgentChange, change_agent
from bot.services.agents import (
    add_agent,
    change_password,
    hash_token,
    note_presence,
    reset_password,
    set_presence,
    sign_in,
    sign_out,
    signed_in_agent,
)
from bot.services.wrong_passwords import FORGOTTEN_AFTER, WrongPasswords
from bot.storage import tables

pytestmark = pytest.mark.usefixtures("quick_hashes")

HASHER = agents._hasher
EMAIL, PASSWORD = "ana@corner.example", "correct horse battery"


@pytest.fixture
async def ana(sql_db, clock):
    agent, _ = await add_agent(sql_db, clock, email=EMAIL, name="Ana Cruz", role=Role.AGENT, password=PASSWORD)
    return agent


HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def tried(monkeypatch):
    """What was tried before, as one process remembers it."""
    monkeypatch.setattr(enter, "wrong", WrongPasswords(), raising=False)


async def enter(db, clock, password=PASSWORD, email=EMAIL, address=HERE):
    return await sign_in(db, clock, email=email, password=password, address=address, wrong=enter.wrong)


async def wrong(db, clock, times=1, email=EMAIL, address=HERE):
    refusal = None
    for _ in range(times):
        with pytest.raises(SignInRefused) as refused:
            await enter(db, clock, "something else", email, address)
        refusal = refused.value
    return refusal


async def now(db, agent):
    async with db.reading() as work:
        return await work.agents.get(agent.id)


# Signing in


async def test_a_password_is_kept_as_an_argon2id_hash(sql_db, clock, ana):
    assert ana.password_hash.startswith("$argon2id$")
    assert PASSWORD not in ana.password_hash


def test_a_guess_costs_as_much_as_rfc_9106_asks_of_machines_of_little_memory():
    # 64 MiB, three passes, four lanes.
    assert (HASHER.memory_cost, HASHER.time_cost, HASHER.parallelism) == (65_536, 3, 4)


async def test_the_token_of_a_session_is_kept_as_a_hash(sql_db, clock, ana):
    signed = await enter(sql_db, clock)

    async with sql_db.reading() as work:
        assert await work.agents.session(signed.token) is None
        assert (await work.agents.session(hash_token(signed.token))).agent_id == ana.id


async def test_an_address_is_found_in_whichever_letters_it_is_written(sql_db, clock, ana):
    assert (await enter(sql_db, clock, email="  Ana@Corner.Example ")).agent.id == ana.id


async def test_a_wrong_password_and_an_unknown_address_are_refused_in_the_same_words(sql_db, clock, ana):
    known = await wrong(sql_db, clock)
    unknown = await wrong(sql_db, clock, email="nobody@corner.example")

    assert (known.message, known.code, known.locked_until) == (unknown.message, unknown.code, unknown.locked_until)


async def test_a_password_is_hashed_for_an_unknown_address_too(sql_db, clock, ana, monkeypatch):
    compared = []

    async def comparing(password, password_hash):
        compared.append(password_hash)
        return False

    monkeypatch.setattr(agents, "_is_password", comparing)
    await wrong(sql_db, clock)
    await wrong(sql_db, clock, email="nobody@corner.example")

    assert len(compared) == 2
    assert all(one.startswith("$argon2id$") for one in compared)


async def test_somebody_who_was_disabled_does_not_get_in(sql_db, clock, ana):
    await change_agent(sql_db, clock, ana.id, AgentChange(disabled=True))

    with pytest.raises(SignInRefused):
        await enter(sql_db, clock)


# Locked accounts


async def test_several_wrong_passwords_lock_out_the_right_one_too(sql_db, clock, ana):
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED)

    with pytest.raises(SignInRefused) as refused:
        await enter(sql_db, clock)

    assert refused.value.locked_until == clock.now() + FIRST_LOCK


async def test_one_wrong_password_less_locks_nobody_out(sql_db, clock, ana):
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED - 1)

    assert (await enter(sql_db, clock)).agent.wrong_passwords == 0


async def test_whoever_has_signed_in_from_where_they_are_is_not_kept_out_by_others(sql_db, clock, ana, tried):
    await enter(sql_db, clock)
    for number in range(WRONG_PASSWORDS_ALLOWED * 2):
        await wrong(sql_db, clock, address=f"2001:db8:{number}::")

    with pytest.raises(SignInRefused):
        await enter(sql_db, clock, address="198.51.100.9")
    assert (await enter(sql_db, clock)).agent.id == ana.id


async def test_a_lock_ends_by_itself(sql_db, clock, ana):
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED)
    clock.advance(FIRST_LOCK)

    assert (await enter(sql_db, clock)).agent.locked_until is None


async def test_each_further_wrong_password_locks_for_twice_as_long_up_to_an_hour(sql_db, clock, ana):
    refusal = await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED)
    lengths = []
    for _ in range(8):
        lengths.append(refusal.locked_until - clock.now())
        clock.advance(lengths[-1])
        refusal = await wrong(sql_db, clock)

    assert lengths == [min(FIRST_LOCK * 2**times, LONGEST_LOCK) for times in range(8)]


async def test_wrong_passwords_tried_while_locked_do_not_lengthen_the_lock(sql_db, clock, ana):
    until = (await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED)).locked_until

    assert (await wrong(sql_db, clock, 3)).locked_until == until


async def test_a_lock_tells_nobody_whether_there_is_such_an_account(sql_db, clock, ana):
    told = {}
    for email in (EMAIL, "nobody@corner.example"):
        told[email] = []
        for address in (HERE, THERE):
            for _ in range(2 * WRONG_PASSWORDS_ALLOWED + 3):
                refusal = await wrong(sql_db, clock, email=email, address=address)
                told[email].append((refusal.message, refusal.locked_until and refusal.locked_until - clock.now()))
                clock.advance(FIRST_LOCK / 3)

    assert told[EMAIL] == told["nobody@corner.example"]
    assert len({words for words, _ in told[EMAIL]}) == 2


async def test_whoever_guesses_elsewhere_keeps_nobody_out_for_more_than_a_moment(sql_db, clock, ana):
    for _ in range(24):
        await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED, address=THERE)
        clock.advance(FIRST_LOCK)

        assert (await enter(sql_db, clock, address=HERE)).agent.id == ana.id
        with pytest.raises(SignInRefused):
            await enter(sql_db, clock, "something else", address=THERE)


async def test_wrong_passwords_are_forgotten_after_a_day(sql_db, clock, ana):
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED + 3)
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED + 3, email="nobody@corner.example")
    clock.advance(FORGOTTEN_AFTER)

    for email in (EMAIL, "nobody@corner.example"):
        assert (await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED - 1, email=email)).locked_until is None


async def test_what_is_remembered_of_guesses_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(wrong_passwords, "MAX_KEPT", 3)
    tried = WrongPasswords()
    for number in range(10):
        tried.note_wrong(clock.now(), str(number))

    assert len(tried._tried) == 3


# What is noted


async def noted(db):
    c = tables.audit_log.c
    async with db.reading() as work:
        rows = await work.customers._connection.execute(select(c.actor, c.action, c.detail).order_by(c.id))
        return [(row.actor, row.action, row.detail) for row in rows]


async def test_what_admins_do_to_accounts_is_in_the_audit_log(sql_db, clock):
    ben, _ = await add_agent(sql_db, clock, email="ben@corner.example", name="Ben", role=Role.ADMIN)
    ana, _ = await add_agent(sql_db, clock, email=EMAIL, name="Ana", role=Role.AGENT, by=ben)
    await change_agent(sql_db, clock, ana.id, AgentChange(role=Role.ADMIN, capacity=5), by=ben)
    await change_agent(sql_db, clock, ana.id, AgentChange(role=Role.ADMIN), by=ben)
    await reset_password(sql_db, clock, ana.id, by=ben)
    await change_agent(sql_db, clock, ana.id, AgentChange(disabled=True), by=ben)

    admin, her = "agent:ben@corner.example", {"agent": ana.id}
    changed = {**her, "role": "admin", "disabled": False}
    assert await noted(sql_db) == [
        ("operator", "agent_added", {"agent": ben.id, "role": "admin"}),
        (admin, "agent_added", {**her, "role": "agent"}),
        (admin, "agent_changed", {**changed, "changed": ["capacity", "role"]}),
        (admin, "password_reset", her),
        (admin, "agent_changed", {**changed, "disabled": True, "changed": ["disabled_at"]}),
    ]


async def test_wrong_passwords_and_locks_are_in_the_audit_log(sql_db, clock, ana):
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED + 1)
    await wrong(sql_db, clock, email="nobody@corner.example")

    entries = [(actor, detail) for actor, action, detail in await noted(sql_db) if action == "sign_in_refused"]
    locked = [detail["locked"] for _, detail in entries]
    assert locked == [False] * (WRONG_PASSWORDS_ALLOWED - 1) + [True]
    assert {(actor, detail["agent"]) for actor, detail in entries} == {(f"agent:{EMAIL}", ana.id)}


# Sessions


async def test_a_session_shows_who_it_is(sql_db, clock, ana):
    signed = await enter(sql_db, clock)

    assert (await signed_in_agent(sql_db, clock, signed.token)).id == ana.id
    assert await signed_in_agent(sql_db, clock, signed.token + "x") is None


async def test_a_session_ends_after_so_long_without_a_move(sql_db, clock, ana):
    signed = await enter(sql_db, clock)
    clock.advance(IDLE_FOR - timedelta(seconds=1))
    assert await signed_in_agent(sql_db, clock, signed.token) is not None

    clock.advance(IDLE_FOR)

    assert await signed_in_agent(sql_db, clock, signed.token) is None


async def test_a_session_ends_after_a_week_however_busy(sql_db, clock, ana):
    signed = await enter(sql_db, clock)
    began = clock.now()
    while clock.now() - began < SESSION_LENGTH - IDLE_FOR:
        clock.advance(IDLE_FOR / 2)
        assert await signed_in_agent(sql_db, clock, signed.token) is not None
    clock.advance(SESSION_LENGTH - (clock.now() - began))

    assert await signed_in_agent(sql_db, clock, signed.token) is None


async def test_signing_out_ends_this_session_and_no_other(sql_db, clock, ana):
    here, there = await enter(sql_db, clock), await enter(sql_db, clock)

    await sign_out(sql_db, clock, here.token)
    await sign_out(sql_db, clock, here.token)

    assert await signed_in_agent(sql_db, clock, here.token) is None
    assert await signed_in_agent(sql_db, clock, there.token) is not None


async def test_who_signs_out_everywhere_takes_no_conversations(sql_db, clock, ana):
    here, there = await enter(sql_db, clock), await enter(sql_db, clock)
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)

    await sign_out(sql_db, clock, here.token)
    assert (await now(sql_db, ana)).is_there(clock.now())
    clock.advance(timedelta(seconds=5))
    await sign_out(sql_db, clock, there.token)

    gone = await now(sql_db, ana)
    assert (gone.presence, gone.away_since) == (Presence.AWAY, clock.now())


async def test_who_is_still_signed_in_where_it_is_long_over_is_signed_out(sql_db, clock, ana):
    await enter(sql_db, clock)
    clock.advance(IDLE_FOR)
    today = await enter(sql_db, clock)
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)

    await sign_out(sql_db, clock, today.token)

    assert (await now(sql_db, ana)).presence is Presence.AWAY


async def test_who_left_without_signing_out_is_not_online_at_once_when_they_are_back(sql_db, clock, ana):
    await enter(sql_db, clock)
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)
    clock.advance(timedelta(hours=1))
    await enter(sql_db, clock)
    assert (await now(sql_db, ana)).presence is Presence.ONLINE

    clock.advance(timedelta(days=3))
    await enter(sql_db, clock)

    assert (await now(sql_db, ana)).presence is Presence.AWAY


async def test_who_is_let_in_again_is_not_there_before_they_say_so(sql_db, clock, ana):
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)

    await change_agent(sql_db, clock, ana.id, AgentChange(disabled=True))
    again = await change_agent(sql_db, clock, ana.id, AgentChange(disabled=False))

    assert not again.is_there(clock.now())


async def test_what_is_long_over_is_forgotten_and_whoever_had_left_begins_away(sql_db, clock, ana):
    await enter(sql_db, clock)
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)
    assert await agents.forget_sessions(sql_db, clock) == 0
    clock.advance(SESSION_LENGTH + timedelta(seconds=1))

    assert await agents.forget_sessions(sql_db, clock) == 1
    assert (await enter(sql_db, clock)).agent.presence is Presence.AWAY


async def test_disabling_somebody_ends_their_sessions(sql_db, clock, ana):
    signed = await enter(sql_db, clock)

    await change_agent(sql_db, clock, ana.id, AgentChange(disabled=True))
    await change_agent(sql_db, clock, ana.id, AgentChange(disabled=False))

    assert await signed_in_agent(sql_db, clock, signed.token) is None


# Passwords


async def test_a_one_time_password_is_to_be_replaced(sql_db, clock):
    agent, password = await add_agent(sql_db, clock, email=EMAIL, name="Ana", role=Role.AGENT)
    signed = await enter(sql_db, clock, password)
    assert signed.agent.must_change_password

    await change_password(sql_db, agent.id, signed.token, old=password, new=PASSWORD)

    assert not (await enter(sql_db, clock)).agent.must_change_password
    assert await wrong_password(sql_db, clock, password)


async def wrong_password(db, clock, password):
    with pytest.raises(SignInRefused):
        await enter(db, clock, password)
    return True


async def test_changing_the_password_ends_the_other_sessions(sql_db, clock, ana):
    here, there = await enter(sql_db, clock), await enter(sql_db, clock)

    await change_password(sql_db, ana.id, here.token, old=PASSWORD, new="another long password")

    assert await signed_in_agent(sql_db, clock, here.token) is not None
    assert await signed_in_agent(sql_db, clock, there.token) is None


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaa", "ana was here 1", PASSWORD, "x" * 201])
async def test_a_password_that_will_not_do_is_refused(sql_db, clock, ana, new):
    signed = await enter(sql_db, clock)

    with pytest.raises(AgentRefused):
        await change_password(sql_db, ana.id, signed.token, old=PASSWORD, new=new)

    assert (await enter(sql_db, clock)).agent.id == ana.id


@pytest.mark.parametrize(
    "new",
    [
        *("password12", "Password123!", "p@ssw0rd2024", "passwordpassword", "1234567890", "qwertyuiop", "0987654321"),
        *("!!Welcome2026", "letmein-letmein", "1q2w3e4r5t", "qwerty-password", "ILoveYou123", "changeme-2026"),
        *("Corner & Co. 1", "my cornerco login", "12.12.2026"),
    ],
)
async def test_what_everybody_tries_first_is_no_password(sql_db, clock, ana, new):
    signed = await enter(sql_db, clock)

    with pytest.raises(AgentRefused, match=r"tried first|name of the shop"):
        await change_password(sql_db, ana.id, signed.token, old=PASSWORD, new=new, shop_name="Corner & Co.")


@pytest.mark.parametrize("new", ["mango ladder 1987 fog", "passionate-otter", "kX9$vq2LmT", "summer rain on tin roofs"])
async def test_a_password_of_ones_own_will_do(sql_db, clock, ana, new):
    signed = await enter(sql_db, clock)

    await change_password(sql_db, ana.id, signed.token, old=PASSWORD, new=new, shop_name="Corner & Co.")

    assert (await enter(sql_db, clock, new)).agent.id == ana.id


async def test_whoever_does_not_know_the_password_does_not_change_it(sql_db, clock, ana):
    signed = await enter(sql_db, clock)

    with pytest.raises(SignInRefused):
        await change_password(sql_db, ana.id, signed.token, old="a guess", new="another long password")

    assert (await enter(sql_db, clock)).agent.id == ana.id


async def test_a_reset_gives_a_one_time_password_and_ends_every_session_and_lock(sql_db, clock, ana):
    signed = await enter(sql_db, clock)
    await wrong(sql_db, clock, WRONG_PASSWORDS_ALLOWED)

    password = await reset_password(sql_db, clock, ana.id)

    assert await signed_in_agent(sql_db, clock, signed.token) is None
    assert await wrong_password(sql_db, clock, PASSWORD)
    assert (await enter(sql_db, clock, password)).agent.must_change_password


# Who works there


@pytest.mark.parametrize(("email", "name"), [("nonsense", "Ana"), (EMAIL, ""), (EMAIL, "x" * 81), (EMAIL, "A\nB")])
async def test_an_address_or_a_name_that_will_not_do_is_refused(sql_db, clock, email, name):
    with pytest.raises(AgentRefused):
        await add_agent(sql_db, clock, email=email, name=name, role=Role.AGENT)


async def test_two_people_cannot_have_one_address(sql_db, clock, ana):
    with pytest.raises(AgentRefused, match="already"):
        await add_agent(sql_db, clock, email=EMAIL.upper(), name="Another", role=Role.AGENT)


async def test_the_last_admin_stays_one(sql_db, clock):
    ben, _ = await add_agent(sql_db, clock, email="ben@corner.example", name="Ben", role=Role.ADMIN)

    for change in (AgentChange(role=Role.AGENT), AgentChange(disabled=True)):
        with pytest.raises(AgentRefused, match="admin"):
            await change_agent(sql_db, clock, ben.id, change)

    assert (await now(sql_db, ben)).role is Role.ADMIN


async def test_what_somebody_knows_and_takes_can_be_changed(sql_db, clock, ana):
    change = AgentChange(name="Ana", capacity=5, skills=("Orders", "orders", " "), languages=("EN",))

    changed = await change_agent(sql_db, clock, ana.id, change)

    assert changed == await now(sql_db, ana)
    assert (changed.name, changed.capacity) == ("Ana", 5)
    assert (changed.skills, changed.languages, changed.role) == (("orders",), ("en",), Role.AGENT)


async def test_languages_are_kept_as_codes_whatever_they_are_called(sql_db, clock, ana):
    named = await change_agent(sql_db, clock, ana.id, AgentChange(languages=("Filipino", "tl", "pt-BR", " ")))
    with pytest.raises(AgentRefused, match="'Elvish' is no language we know"):
        await change_agent(sql_db, clock, ana.id, AgentChange(languages=("Elvish",)))

    assert named.languages == (await now(sql_db, ana)).languages == ("fil", "pt")


@pytest.mark.parametrize("capacity", [0, 51])
async def test_nobody_takes_none_or_too_many(sql_db, clock, ana, capacity):
    with pytest.raises(AgentRefused):
        await change_agent(sql_db, clock, ana.id, AgentChange(capacity=capacity))


async def test_whoever_comes_online_is_there_and_free_from_then_on(sql_db, clock, ana):
    clock.advance(timedelta(minutes=5))

    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)

    agent = await now(sql_db, ana)
    assert agent.is_there(clock.now())
    assert agent.free_since == clock.now()
    assert not agent.is_there(clock.now() + timedelta(minutes=1))


async def test_a_desk_that_says_it_is_open_keeps_somebody_there(sql_db, clock, ana):
    await set_presence(sql_db, clock, ana.id, Presence.ONLINE)
    clock.advance(timedelta(seconds=40))

    await note_presence(sql_db, clock, await now(sql_db, ana))
    clock.advance(timedelta(seconds=40))

    assert (await now(sql_db, ana)).is_there(clock.now())
