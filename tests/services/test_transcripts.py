"""What was said, as the shop's people read it in a mail."""

from __future__ import annotations

from bot.core.conversations import Attachment, Author, Image
from bot.services.transcripts import conversation_lines
from tests.builders import a_message, conversation_now, stored_conversation


async def lines_of(db, conversation, *messages):
    async with db.transaction() as work:
        await work.messages.add(*messages, channel=conversation.channel)
    async with db.reading() as work:
        return await conversation_lines(work, await conversation_now(db, conversation.id), None)


async def test_a_picture_is_told_in_words_and_secret_links_are_cut_off(sql_db):
    conversation = await stored_conversation(sql_db)
    link = "https://chat.example/rewards/SECRET"
    picture = Image(f"{link}/code.png", "QR code of your reward\nSUKI-7K3P")
    said = a_message(conversation, author=Author.BOT, text=f"Here it is: {link} Enjoy!", image=picture)

    lines = await lines_of(sql_db, conversation, said)

    _, _, said_line = lines[-1].partition("bot: ")
    assert said_line.splitlines() == [
        "Here it is: https://chat.example/rewards/… Enjoy! [picture: QR code of your reward",
        "    SUKI-7K3P]",
    ]


async def test_a_file_is_told_in_words_once(sql_db):
    conversation = await stored_conversation(sql_db)
    mug = Attachment("1", "mug.jpg", "image/jpeg", 3)
    alone = a_message(conversation, text="[photo: mug.jpg]", attachment=mug)
    captioned = a_message(conversation, seq=2, external_id="2", text="My mug is broken", attachment=mug)

    lines = await lines_of(sql_db, conversation, alone, captioned)

    assert [line.partition("Customer: ")[2] for line in lines[-2:]] == [
        "[photo: mug.jpg]",
        "My mug is broken [photo: mug.jpg]",
    ]
