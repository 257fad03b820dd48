"""The commands for the people at the desk, as they are typed, and the people of the demo."""

from __future__ import annotations

import stat

import pytest

from bot.agent_commands import load_demo_agents, run_agent_command
from bot.core.agents import Role
from bot.errors import AgentRefused
from bot.services.agents import sign_in

pytestmark = pytest.mark.usefixtures("quick_hashes")


async def command(db, clock, action, **options):
    return await run_agent_command(db, clock, {"action": action, "name": None, "role": "agent", **options})


async def test_whoever_is_added_signs_in_with_the_password_that_is_shown(sql_db, clock):
    said = await command(sql_db, clock, "add", email="Ana@corner.example", name="Ana Cruz", role="admin")

    signed = await sign_in(sql_db, clock, email="ana@corner.example", password=said.splitlines()[-1])

    assert (signed.agent.name, signed.agent.role, signed.agent.must_change_password) == ("Ana Cruz", Role.ADMIN, True)


async def test_a_name_is_made_of_the_address_where_none_is_given(sql_db, clock):
    said = await command(sql_db, clock, "add", email="ana@corner.example")

    assert said.startswith("ana <ana@corner.example>")


async def test_everybody_is_listed_without_passwords(sql_db, clock):
    password = (await command(sql_db, clock, "add", email="ana@corner.example", name="Ana")).splitlines()[-1]

    said = await command(sql_db, clock, "list")

    assert said == "ana@corner.example  Ana, agent"
    assert password not in said


async def test_a_reset_shows_a_new_password(sql_db, clock):
    await command(sql_db, clock, "add", email="ana@corner.example", name="Ana")

    password = (await command(sql_db, clock, "reset", email="ANA@corner.example")).splitlines()[-1]

    assert (await sign_in(sql_db, clock, email="ana@corner.example", password=password)).agent.must_change_password


async def test_nobodys_password_cannot_be_reset(sql_db, clock):
    with pytest.raises(AgentRefused, match="nobody"):
        await command(sql_db, clock, "reset", email="ana@corner.example")


# The demo


async def test_the_demos_people_sign_in_with_the_passwords_in_the_file_for_good(sql_db, clock, tmp_path):
    file = tmp_path / "var" / "demo.txt"

    passwords = await load_demo_agents(sql_db, clock, file)

    kept = dict(line.split() for line in file.read_text().splitlines())
    assert kept == passwords
    for email, role in (("agent@example.com", Role.AGENT), ("admin@example.com", Role.ADMIN)):
        signed = await sign_in(sql_db, clock, email=email, password=kept[email])
        assert (signed.agent.role, signed.agent.must_change_password) == (role, False)


async def test_the_file_is_for_nobody_elses_eyes(sql_db, clock, tmp_path):
    await load_demo_agents(sql_db, clock, tmp_path / "demo.txt")

    assert stat.S_IMODE((tmp_path / "demo.txt").stat().st_mode) == 0o600


async def test_starting_the_demo_again_changes_no_password(sql_db, clock, tmp_path):
    first = await load_demo_agents(sql_db, clock, tmp_path / "demo.txt")

    assert await load_demo_agents(sql_db, clock, tmp_path / "demo.txt") == first


async def test_a_new_database_gets_the_passwords_that_are_kept(sql_db, clock, tmp_path):
    file = tmp_path / "demo.txt"
    file.write_text("agent@example.com kept-from-before\n")

    passwords = await load_demo_agents(sql_db, clock, file)

    assert passwords["agent@example.com"] == "kept-from-before"
    assert await sign_in(sql_db, clock, email="agent@example.com", password="kept-from-before")


async def test_a_password_that_is_noted_nowhere_is_not_made_up(sql_db, clock, tmp_path):
    await load_demo_agents(sql_db, clock, tmp_path / "demo.txt")
    (tmp_path / "demo.txt").unlink()

    assert await load_demo_agents(sql_db, clock, tmp_path / "demo.txt") == {}
