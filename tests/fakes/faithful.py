"""Is the fake Bot API faithful? Two well-known libraries, each in an environment of its own, speak to it.

    .venv/bin/python -m tests.fakes.faithful

No test and no dependency: it installs python-telegram-bot and aiogram into temporary environments, so it needs uv and a
package index. It prints what each of them did, and ends with 1 if the fake did not answer as they expect.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fakes.telegram import TOKEN, FakeTelegram

PNG = (
    "bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082')"
)
PTB = f"""
import asyncio, sys
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, RetryAfter

async def main(url):
    async with Bot(sys.argv[2], base_url=url + "/bot", base_file_url=url + "/file/bot") as bot:
        assert (await bot.get_me()).username == "tala_coffee_bot"
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="token")]])
        sent = await bot.send_message(1001, "<b>Hello</b> &amp; welcome", parse_mode="HTML", reply_markup=keyboard)
        assert sent.message_id and sent.chat.id == 1001
        await bot.send_photo(1001, {PNG}, caption="Yours!")
        await bot.send_chat_action(1001, "typing")
        await bot.edit_message_reply_markup(chat_id=1001, message_id=sent.message_id, reply_markup=None)
        document = await bot.send_document(1001, b"%PDF-1.7", filename="order.pdf", caption="Here")
        assert document.document.file_name == "order.pdf" and document.caption == "Here"
        first, second, photo, large = await bot.get_updates(timeout=1)
        assert first.message.text == "hello" and first.message.chat.type == "private"
        assert second.callback_query.data == "token"
        await bot.answer_callback_query(second.callback_query.id)
        file = await bot.get_file(photo.message.photo[-1].file_id)
        assert bytes(await file.download_as_bytearray()) == b"a picture" and photo.message.caption == "mine"
        assert await bot.get_updates(offset=large.update_id + 1, timeout=0) == ()
        for wrong, kind in (
            (lambda: bot.send_message(1001, "<b>open", parse_mode="HTML"), BadRequest),
            (lambda: bot.send_message(1001, "x" * 5000), BadRequest),
            (lambda: bot.get_file(large.message.document.file_id), BadRequest),
            (lambda: bot.get_file("nothing"), BadRequest),
            (lambda: bot.send_message(4004, "x"), BadRequest),
            (lambda: bot.send_message(2002, "x"), Forbidden),
            (lambda: bot.send_message(3003, "x"), RetryAfter),
        ):
            try:
                await wrong()
            except kind as error:
                print("  ", type(error).__name__, error)
            else:
                raise AssertionError(f"no {{kind.__name__}}")

asyncio.run(main(sys.argv[1]))
"""
AIOGRAM = f"""
import asyncio, sys
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

async def main(url):
    bot = Bot(sys.argv[2], session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    try:
        assert (await bot.get_me()).username == "tala_coffee_bot"
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="token")]])
        sent = await bot.send_message(1001, "<b>Hello</b>", parse_mode="HTML", reply_markup=keyboard)
        await bot.send_photo(1001, BufferedInputFile({PNG}, "code.png"), caption="Yours!")
        await bot.send_chat_action(1001, "typing")
        await bot.edit_message_reply_markup(chat_id=1001, message_id=sent.message_id)
        document = await bot.send_document(1001, BufferedInputFile(b"%PDF-1.7", "order.pdf"), caption="Here")
        assert document.document.file_name == "order.pdf" and document.caption == "Here"
        first, second, photo, large = await bot.get_updates(timeout=1)
        assert first.message.text == "hello" and second.callback_query.data == "token"
        await bot.answer_callback_query(second.callback_query.id)
        file = await bot.get_file(photo.message.photo[-1].file_id)
        assert (await bot.download_file(file.file_path)).read() == b"a picture"
        for wrong, kind in (
            (lambda: bot.send_message(1001, "<b>open", parse_mode="HTML"), TelegramBadRequest),
            (lambda: bot.get_file(large.message.document.file_id), TelegramBadRequest),
            (lambda: bot.send_message(4004, "x"), TelegramBadRequest),
            (lambda: bot.send_message(2002, "x"), TelegramForbiddenError),
            (lambda: bot.send_message(3003, "x"), TelegramRetryAfter),
        ):
            try:
                await wrong()
            except kind as error:
                print("  ", type(error).__name__, error)
            else:
                raise AssertionError(f"no {{kind.__name__}}")
    finally:
        await bot.session.close()

asyncio.run(main(sys.argv[1]))
"""
LIBRARIES = {"python-telegram-bot": PTB, "aiogram": AIOGRAM}


def install(uv: str, library: str, folder: Path) -> Path:
    """An environment with the library alone; its Python."""
    subprocess.run([uv, "venv", "--quiet", str(folder)], check=True)
    python = folder / "bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), library], check=True)
    return python


async def check(python: Path, program: str) -> bool:
    """Whether the library found everything as it expects."""
    telegram = FakeTelegram(people={"1001", "2002", "3003"}, blocked={"2002"}, busy={"3003": 7})
    async with telegram.running():
        telegram.queue(telegram.message("hello"))
        telegram.queue(telegram.press("token", 1))
        telegram.queue(telegram.photo(b"a picture", "mine"))
        telegram.queue(telegram.document("large.pdf", bytes(21 * 2**20)))
        process = await asyncio.create_subprocess_exec(str(python), "-c", program, telegram.url, TOKEN)
        return await asyncio.wait_for(process.wait(), 60) == 0 and [sent.text for sent in telegram.sent][1] == "Yours!"


def main() -> int:
    """Check with each library."""
    uv = subprocess.run(["sh", "tools/find_uv.sh"], capture_output=True, text=True, check=True).stdout.strip()
    outcome = 0
    with tempfile.TemporaryDirectory() as folder:
        for library, program in LIBRARIES.items():
            print(library, flush=True)
            python = install(uv, library, Path(folder) / library)
            is_faithful = asyncio.run(check(python, program))
            print("  faithful" if is_faithful else "  NOT faithful", flush=True)
            outcome |= not is_faithful
    return outcome


if __name__ == "__main__":
    sys.exit(main())
