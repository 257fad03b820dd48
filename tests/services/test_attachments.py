"""Files are kept together with their message, once, and never more than may be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.attachments import MAX_BYTES_A_DAY, MAX_FILE_BYTES, MAX_FILES_A_DAY, IncomingFile
from bot.core.conversations import Author, Owner, TurnState
from bot.errors import ConversationNotFound, DuplicateMessageId, FileRefused, FileTooLarge, SignedOut
from bot.services.attachments import FILE_ANSWER, check_file, forget_files, keep_file, read_file, receive_file
from bot.services.channel_ports import PartFile
from bot.services.courier import in_parts
from bot.services.ids import new_id
from bot.services.sign_out import sign_out
from bot.services.timers import all_jobs
from bot.services.turns import claim_turn
from tests.builders import a_message, a_shop, conversation_now, messages_now, stored_conversation, written
from tests.sample_files import NOT_TAKEN, PDF, TAKEN
from tests.services.test_courier import CAPABILITIES

MUG = IncomingFile("mug.jpg", TAKEN["image/jpeg"])


@pytest.fixture
def receive(sql_db, clock):
    async def receive(conversation, file=MUG, external_id=None):
        return await receive_file(sql_db, clock, conversation.id, external_id or new_id(), file)

    return receive


async def test_a_file_comes_with_its_message_and_is_answered_kindly(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    sent = await receive(conversation)

    message, answer = await messages_now(sql_db, conversation.id)
    assert (message.id, message.text, message.author) == (sent.id, "[photo: mug.jpg]", Author.CUSTOMER)
    assert (message.attachment.name, message.attachment.media_type) == ("mug.jpg", "image/jpeg")
    assert message.attachment.size == len(MUG.content) and message.turn_state is TurnState.NOT_FOR_BOT
    assert (answer.author, answer.text, answer.reply_to_seq) == (Author.BOT, FILE_ANSWER, message.seq)
    assert [choice.title for choice in answer.choices] == ["Talk to a person"]
    assert (await conversation_now(sql_db, conversation.id)).last_seq == 2
    assert {hint.topic for hint in sql_db.hints} == {"echo", "outbound"}
    stored = await read_file(sql_db, conversation.id, message.attachment.id)
    assert (stored.attachment, stored.content) == (message.attachment, MUG.content)


async def test_a_file_that_ends_after_logging_out_is_refused_and_one_told_again_is_not(sql_db, clock, receive):
    conversation = await stored_conversation(sql_db)
    sent = await receive(conversation, external_id="1")
    async with sql_db.transaction() as work:
        await sign_out(work, clock, await work.conversations.lock(conversation.id))

    assert (await receive(conversation, external_id="1")).id == sent.id
    with pytest.raises(SignedOut):
        await receive(conversation)
    assert len(await messages_now(sql_db, conversation.id)) == 2


async def test_the_bot_is_not_asked_about_a_file_and_answers_what_comes_after(sql_db, clock, receive):
    conversation = await stored_conversation(sql_db)
    await receive(conversation)
    assert await claim_turn(sql_db, clock, "worker") is None
    await written(sql_db, clock, conversation, "it is broken")

    assert (await claim_turn(sql_db, clock, "worker")).message.text == "it is broken"


@pytest.mark.parametrize("owner", [Owner.QUEUE, Owner.AGENT])
async def test_where_a_person_has_the_conversation_the_bot_says_nothing(sql_db, receive, owner):
    conversation = await stored_conversation(sql_db, owner=owner)
    await receive(conversation)

    assert [message.text for message in await messages_now(sql_db, conversation.id)] == ["[photo: mug.jpg]"]


async def test_many_files_in_a_row_are_answered_once(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    for number in range(3):
        await receive(conversation, replace(MUG, name=f"{number}.jpg"))
    await receive(conversation, IncomingFile("invoice.pdf", PDF))

    texts = [message.text for message in await messages_now(sql_db, conversation.id)]
    files = [f"[photo: {number}.jpg]" for number in range(3)]
    assert texts == [files[0], FILE_ANSWER, *files[1:], "[file: invoice.pdf]"]


async def test_the_same_file_sent_again_and_at_once_is_one(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    sent = await asyncio.gather(*(receive(conversation, MUG, "one-id") for _ in range(8)))

    assert len({message.id for message in sent}) == 1
    assert len(await messages_now(sql_db, conversation.id)) == 2
    async with sql_db.reading() as work:
        assert (await work.attachments.since(conversation.id, sent[0].at - timedelta(days=1)))[0] == 1


@pytest.mark.parametrize(
    "other",
    [replace(MUG, name="cup.jpg"), replace(MUG, content=MUG.content[:-1] + b"\xd8"), IncomingFile("a.pdf", PDF)],
)
async def test_an_id_with_another_file_is_refused(sql_db, receive, other):
    conversation = await stored_conversation(sql_db)
    await receive(conversation, MUG, "one-id")

    with pytest.raises(DuplicateMessageId):
        await receive(conversation, other, "one-id")
    with pytest.raises(DuplicateMessageId):
        await receive(await stored_conversation(sql_db), MUG, "one-id")


@pytest.mark.parametrize("name", NOT_TAKEN)
async def test_a_file_that_lies_is_refused_in_words_and_leaves_nothing(sql_db, receive, name):
    words, content = NOT_TAKEN[name]
    conversation = await stored_conversation(sql_db)

    with pytest.raises(FileRefused) as refused:
        await receive(conversation, IncomingFile("photo.jpg", content))

    assert refused.value.reason == "kind" and "Send a picture" in refused.value.message
    assert words is None or words in refused.value.message
    assert await messages_now(sql_db, conversation.id) == []


async def test_a_file_may_be_as_large_as_the_limit_and_no_larger(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    largest = PDF.ljust(MAX_FILE_BYTES, b"%")
    message = await receive(conversation, IncomingFile("large.pdf", largest))
    assert (await read_file(sql_db, conversation.id, message.attachment.id)).content == largest

    with pytest.raises(FileTooLarge):
        await receive(conversation, IncomingFile("larger.pdf", largest + b"%"))
    with pytest.raises(FileRefused, match="empty"):
        await receive(conversation, IncomingFile("empty.txt", b""))


async def test_a_day_has_room_for_so_many_files_and_the_next_day_again(sql_db, clock, receive):
    conversation, other = await stored_conversation(sql_db), await stored_conversation(sql_db)
    for _ in range(MAX_FILES_A_DAY):
        await receive(conversation)
    with pytest.raises(FileRefused) as refused:
        await receive(conversation)
    assert refused.value.reason == "too_many"
    await receive(other)

    clock.advance(days=1)
    await receive(conversation)


async def test_a_day_has_room_for_so_many_bytes(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    for _ in range(MAX_BYTES_A_DAY // MAX_FILE_BYTES):
        await receive(conversation, IncomingFile("large.pdf", PDF.ljust(MAX_FILE_BYTES, b"%")))

    with pytest.raises(FileRefused) as refused:
        await receive(conversation)
    assert refused.value.reason == "too_many"


async def test_two_at_once_do_not_both_take_the_last_place(sql_db, receive):
    conversation = await stored_conversation(sql_db)
    for _ in range(MAX_FILES_A_DAY - 1):
        await receive(conversation)
    outcomes = await asyncio.gather(*(receive(conversation) for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(outcome, FileRefused) for outcome in outcomes) == 3


@pytest.mark.parametrize(("measure", "most"), [("MAX_FILES_A_DAY_OF_ALL", 3), ("MAX_BYTES_A_DAY_OF_ALL", 1_000)])
async def test_all_conversations_together_have_a_measure_of_their_own(
    sql_db, clock, receive, monkeypatch, measure, most
):
    monkeypatch.setattr(f"bot.services.attachments.{measure}", most)
    file = replace(MUG, content=MUG.content.ljust(300, b"\0"))
    for _ in range(3):
        await receive(await stored_conversation(sql_db), file)
    with pytest.raises(FileRefused) as refused:
        await receive(await stored_conversation(sql_db), file)
    assert refused.value.reason == "too_many" and "tomorrow" in refused.value.message

    clock.advance(days=1)
    await receive(await stored_conversation(sql_db), file)


@pytest.mark.parametrize(
    "not_an_id", ["\x00", "", "'; --", "0" * 31, "0" * 33, "G" * 32, "0" * 31 + "\n", "\ud800" * 32]
)
async def test_what_is_no_id_is_no_file(sql_db, receive, not_an_id):
    conversation = await stored_conversation(sql_db)
    await receive(conversation)

    assert await read_file(sql_db, conversation.id, not_an_id) is None


async def test_a_file_is_read_in_its_own_conversation_only(sql_db, receive):
    conversation, other = await stored_conversation(sql_db), await stored_conversation(sql_db)
    message = await receive(conversation)

    assert await read_file(sql_db, other.id, message.attachment.id) is None
    assert await read_file(sql_db, conversation.id, "0" * 32) is None


async def test_there_is_no_file_without_a_conversation(sql_db, clock):
    with pytest.raises(ConversationNotFound):
        await receive_file(sql_db, clock, "nowhere", "1", MUG)


async def test_content_is_forgotten_when_its_time_is_over_and_the_words_stay(sql_db, clock, receive):
    shop = a_shop(files_keep_days=30)
    conversation = await stored_conversation(sql_db)
    old = [await receive(conversation, replace(MUG, name=f"{number}.jpg")) for number in range(3)]
    clock.advance(days=29)
    new = await receive(conversation)
    assert await forget_files(sql_db, clock, shop) == 0
    clock.advance(days=1, seconds=1)

    assert await forget_files(sql_db, clock, shop) == 3
    assert await forget_files(sql_db, clock, shop) == 0

    for message in old:
        stored = await read_file(sql_db, conversation.id, message.attachment.id)
        assert (stored.attachment, stored.content) == (message.attachment, None)
    assert (await read_file(sql_db, conversation.id, new.attachment.id)).content == MUG.content
    assert "[photo: 0.jpg]" in [message.text for message in await messages_now(sql_db, conversation.id)]
    # Sent again by a browser that never heard of it, it is what it was.
    assert (await receive(conversation, replace(MUG, name="0.jpg"), old[0].external_id)).id == old[0].id


async def test_forgetting_goes_on_beyond_one_transaction(sql_db, clock, receive, monkeypatch):
    monkeypatch.setattr("bot.services.attachments.FORGOTTEN_AT_ONCE", 2)
    conversation = await stored_conversation(sql_db)
    for _ in range(5):
        await receive(conversation)
    clock.advance(days=400)

    assert await forget_files(sql_db, clock, a_shop()) == 5


def test_forgetting_is_a_job():
    assert "files that were kept long enough" in [name for name, _ in all_jobs(None)]


async def test_a_file_of_an_agents_counts_for_the_day_as_well(sql_db, clock, receive):
    conversation = await stored_conversation(sql_db)
    for _ in range(MAX_FILES_A_DAY):
        async with sql_db.transaction() as work:
            await keep_file(work, clock, conversation, check_file(MUG))

    with pytest.raises(FileRefused):
        await receive(conversation)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[photo: mug.jpg]", [("Ana", True)]),
        ("Like this?", [("Ana: Like this?", True)]),
        ("As long as a text may be", [("Ana: As long as a text may be", False), ("", True)]),
    ],
)  # fmt: skip
async def test_an_agents_file_is_a_part_with_the_text_as_its_caption(sql_db, text, parts):
    conversation = await stored_conversation(sql_db)
    file = check_file(MUG)
    message = a_message(conversation, author=Author.AGENT, author_name="Ana", text=text, attachment=file.attachment)
    given = PartFile(file.attachment.name, file.attachment.media_type, file.content)

    assert [(part.text, part.file is not None) for part in in_parts(message, CAPABILITIES, (), given)] == parts
    # Deleted since: what it was stays in the words.
    (gone, *_) = in_parts(message, CAPABILITIES, (), None)
    assert gone.file is None and gone.text.startswith("Ana: ")
