"""A reward comes with its picture to scan, in the same message as its words."""

from __future__ import annotations

import re

from bot.gateway.tokens import read_voucher_token


async def test_a_reward_that_was_taken_is_shown_as_a_picture(talk_as, links) -> None:
    talk = await talk_as("C-1001")
    await talk.say("redeem points for the parol mug")
    (said,) = await talk.say("yes")

    code = re.search("SUKI-[0-9A-Z-]+", said.text)[0]
    assert said.image is not None and said.image.alt == f"QR code of your reward {code}"
    token = said.image.url.removesuffix("/code.png").rpartition("/")[2]
    assert read_voucher_token(token, links._secret_key) == code


async def test_nothing_else_has_a_picture(talk_as) -> None:
    talk = await talk_as("C-1001")

    for text in ("hello", "how many points do i have", "where is my order"):
        assert [said.image for said in await talk.say(text)] == [None]
