"""Files at the desk: sent to a customer as a form, and handed out to whoever is signed in."""

from __future__ import annotations

from aiohttp import web

from bot.gateway import settings, uploads
from bot.gateway.desk_answers import file_answer, moment
from bot.gateway.desk_endpoints import Answer, Call, DeskEndpoints
from bot.gateway.files import hand_out
from bot.gateway.transfers import Transfers
from bot.services.attachments import StoredFile
from bot.services.desk_files import open_file, send_file

endpoints = DeskEndpoints()

# Apart from those of the chat: however many customers send files, people at the desk get theirs through.
UPLOADS = web.AppKey("desk_uploads", Transfers)
DOWNLOADS = web.AppKey("desk_downloads", Transfers)


def prepare(app: web.Application) -> None:
    """Give the application what files at the desk need."""
    app[UPLOADS] = Transfers()
    app[DOWNLOADS] = Transfers()


@endpoints.add("POST", "/conversations/{id}/files")
async def post_file(call: Call) -> Answer:
    """Send a file to the customer, as a form with client_id and file. Safe to repeat with the same client_id."""
    app, sender = call.request.app, f"desk {call.agent.id}"
    app[settings.MESSAGE_LIMIT].spend(sender)
    with uploads.one_more_upload(app[UPLOADS], sender):
        client_id, file = await uploads.read_form(call.request, uploads.Form())
        with uploads.room_of_the_day(app, sender, len(file.content)):
            # As the ids of all that agents write.
            message = await send_file(call.db, call.clock, call.agent, call.conversation_id, file, client_id.lower())
    return {"seq": message.seq, "at": moment(message.at), "file": file_answer(message)}


@endpoints.add("GET", "/files/{id}")
async def get_file(call: Call) -> Answer:
    """A file of a conversation, to be saved. Whoever opens it is in the audit log."""

    async def find() -> StoredFile | None:
        return await open_file(call.db, call.clock, call.agent, call.name("id"))

    return await hand_out(call.request, call.request.app[DOWNLOADS], call.agent.id, find)
