"""What was said, as the shop's people read it in a mail."""

from __future__ import annotations

from bot.core.channels import TELEGRAM
from bot.core.conversations import Attachment, Author, Image
from bot.gateway.links import SignedLinks
from bot.services.transcripts import conversation_lines
from tests.builders import NOW, a_message, conversation_now, stored_conversation


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


async def test_no_link_that_opens_something_is_told(sql_db):
    links = SignedLinks("https://chat.example", "k" * 32, 24, [TELEGRAM])
    made = [
        links.invoice("TC-10001", NOW),
        links.connect(TELEGRAM, "T" * 43),
        links.own_data("1", NOW),
        links.voucher("SUKI-7K3P", NOW),
        links.voucher_image("SUKI-7K3P", NOW),
        links.unsubscribe("maria@example.com", "marketing", NOW),
        links.feedback("1", NOW, 5),
    ]
    # Whoever adds a kind of link adds it here.
    assert {name for name in vars(SignedLinks) if not name.startswith("_")} == {
        *("invoice", "connect", "own_data", "voucher", "voucher_image", "unsubscribe", "feedback"),
    }
    conversation = await stored_conversation(sql_db)

    lines = await lines_of(sql_db, conversation, a_message(conversation, author=Author.BOT, text="\n".join(made)))

    told = "\n".join(lines)
    for link in made:
        assert all(part not in told for part in link.split("/") if len(part) >= 40), link


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
