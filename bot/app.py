"""The composition root: the only module that knows every layer, and how each process is put together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.mail import MailFolder, SmtpMail
from bot.clock import SystemClock
from bot.config import Config, load_config
from bot.content import ContentFiles, ShopFiles, shop_files
from bot.core.channels import TELEGRAM
from bot.errors import ConfigError
from bot.gateway.application import create_gateway, gateway_runner
from bot.gateway.channels import Webhook
from bot.gateway.connect import DOORWAYS
from bot.gateway.links import SignedLinks
from bot.gateway.settings import LIVE, GatewaySettings
from bot.messaging import Couriers, ask_for_messages, has_public_address, open_telegram, telegram_command
from bot.metrics import TurnMetrics
from bot.reward_commands import run_reward_command
from bot.services.conversations import open_channel_conversation
from bot.services.demo import DEMO_PEOPLE
from bot.services.ids import new_id
from bot.services.outbox import deliver_next
from bot.services.ports import Hint
from bot.services.timers import all_jobs, run_timers
from bot.services.turn_context import TurnContext
from bot.services.turns import release_worker
from bot.services.waiting import look_after_line
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate, pending_migrations
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import Wakeups, create_wakeups
from bot.waits import finish_within, set_within

SHUTDOWN_SECONDS = 10.0
OUTBOX_POLL_SECONDS = 5.0
TIMERS_EVERY_SECONDS = 60.0
LINE_EVERY_SECONDS, LINE_PAUSE_SECONDS = 1.0, 0.1
RESTART_SECONDS_AT_MOST = 30.0
_BEHIND = "The database is behind this version: run `python -m bot migrate`."

__all__ = ["telegram_command"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Storage:
    """The database and its wake-ups, open."""

    db: SqlDatabase
    wakeups: Wakeups


@contextlib.asynccontextmanager
async def open_storage(config: Config) -> AsyncIterator[Storage]:
    """The database of the configuration; closed at the end."""
    wakeups = create_wakeups(config.database_url)
    db = SqlDatabase(create_engine(config.database_url), wakeups)
    try:
        yield Storage(db, wakeups)
    finally:
        await db.close()


async def migrate_database(config: Config) -> None:
    """Bring the database to the schema of this version. Safe to repeat."""
    engine = create_engine(config.database_url)
    try:
        await migrate(engine)
    finally:
        await engine.dispose()


async def load_demo_data(config: Config) -> int:
    """Load the demo shop if the database has no customers; how many were loaded."""
    # Only here, because it brings a library that nobody else needs.
    from bot.services.demo_data import load_demo

    async with open_storage(config) as storage:
        return await load_demo(storage.db, SystemClock(), config.business.to_shop())


async def report(config: Config, options: dict[str, Any]) -> None:
    """Show the shop's figures, and write the files that the options ask for.

    Raises ConfigError for a database that is not ready, BadWindow for days that make no sense.
    """
    # Only here, because it brings the libraries for statistics and pictures.
    from bot.reports.command import ReportRequest, show_report

    await _check_migrated(config)
    async with open_storage(config) as storage:
        await show_report(storage.db, config.business.to_shop(), SystemClock().now(), ReportRequest(**options))


async def import_file(config: Config, options: dict[str, Any]) -> None:
    """Import customers or orders from a file, and say what became of every row.

    Told to stop by a signal, it stops after the batch that is being written, with ImportInterrupted. Raises ConfigError
    for a database that is not ready, ImportRefused for a file that cannot be imported, and ImportStopped where the
    import broke off: it goes on from there next time.
    """
    # Only here, because nobody else needs it.
    from bot.imports.command import FileImport, ImportStopped, request_from
    from bot.imports.report import report_in_words
    from bot.storage.row_index import SqliteRowIndex

    await _check_migrated(config)
    async with open_storage(config) as storage:
        importing = FileImport(storage.db, SystemClock(), config.business.to_shop(), SqliteRowIndex, print)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            importing.stop()
            # Whoever cannot wait stops it at once by asking again.
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            done = await importing.run(request_from(options))
        except (SQLAlchemyError, OSError) as error:
            log.debug("an import broke off", exc_info=True)
            raise ImportStopped(
                f"The import broke off ({type(error).__name__}). What it has imported stays; the same command goes on."
            ) from error
    print(report_in_words(done))


async def feedback(config: Config, options: dict[str, Any]) -> None:
    """Show what feedback is about, or tell those who asked for something that it was done.

    Raises ConfigError for a database that is not ready, FeedbackCommandRefused for a command that makes no sense.
    """
    # Only here, because nobody else needs it.
    from bot.feedback_command import FeedbackRequest, run_feedback

    await _check_migrated(config)
    async with open_storage(config) as storage:
        shop, links = config.business.to_shop(), signed_links(config)
        await run_feedback(storage.db, SystemClock(), shop, links, FeedbackRequest(**options), print)


async def reward_command(config: Config, command: str, options: dict[str, Any]) -> str:
    """Do what was typed about coupons or gift cards, and return what to say.

    Raises ConfigError for a database that is not ready, and other errors of ours for what cannot be done.
    """
    await _check_migrated(config)
    async with open_storage(config) as storage:
        shop = config.business.to_shop()
        return await run_reward_command(storage.db, SystemClock(), shop, command, options)


async def customer_command(config: Config, options: dict[str, Any], confirm: Callable[[str], bool]) -> str:
    """Do what was typed about a customer, and return what to say.

    Raises ConfigError for a database that is not ready, and other errors of ours for what cannot be done.
    """
    # Only here, because nobody else needs it.
    from bot.customer_commands import run_customer_command

    await _check_migrated(config)
    async with open_storage(config) as storage:
        shop = config.business.to_shop()
        return await run_customer_command(storage.db, SystemClock(), shop, options, confirm)


async def agent_command(config: Config, options: dict[str, Any]) -> str:
    """Do what was typed about the people at the desk, and return what to say.

    Raises ConfigError for a database that is not ready, and AgentRefused for what cannot be done.
    """
    # Only here, because nobody else needs it.
    from bot.agent_commands import run_agent_command

    await _check_migrated(config)
    async with open_storage(config) as storage:
        return await run_agent_command(storage.db, SystemClock(), options)


async def demo_agents(config: Config, storage: Storage) -> Mapping[str, str]:
    """The demo's people at the desk: their passwords by address, kept in demo.txt of the folder that VAR_DIR names."""
    from bot.agent_commands import load_demo_agents

    return await load_demo_agents(storage.db, SystemClock(), config.var_dir / "demo.txt")


async def _check_migrated(config: Config) -> None:
    engine = create_engine(config.database_url)
    try:
        if await pending_migrations(engine):
            raise ConfigError([_BEHIND])
    finally:
        await engine.dispose()


async def ledger_faults(config: Config) -> list[str]:
    """Accounts of points that do not add up. Raises ConfigError for a database that is not ready."""
    await _check_migrated(config)
    async with open_storage(config) as storage, storage.db.reading() as work:
        return await work.ledger.faults()


async def find_faults(config: Config) -> list[str]:
    """What would keep the service from working: in the content, the database and the model.

    The settings are checked already.
    """
    faults: list[str] = []
    try:
        shop_content(config)
    except ConfigError as error:
        faults += error.faults
    engine = create_engine(config.database_url)
    try:
        if await pending_migrations(engine):
            faults.append(_BEHIND)
    except Exception as error:
        faults.append(f"The database does not answer ({type(error).__name__}): see DATABASE_URL.")
    finally:
        await engine.dispose()
    try:
        model_metadata(config)
    except ConfigError as error:
        faults += error.faults
    return faults


def model_metadata(config: Config) -> str:
    """The model's own description, read without loading it. Raises ConfigError when there is no such model."""
    from bot.dialogue.lean import read_model_metadata

    try:
        return read_model_metadata(config.model_path)
    except FileNotFoundError:
        raise ConfigError([f"There is no model at {config.model_path}: run `make train`."]) from None
    except (OSError, ValueError) as error:
        fault = f"The model at {config.model_path} cannot be read ({error}): run `make train`."
        raise ConfigError([fault]) from error


@contextlib.asynccontextmanager
async def running_gateway(config: Config, storage: Storage) -> AsyncIterator[None]:
    """The gateway, listening. At the end its sockets are closed with a reason."""
    async with open_telegram(config, storage.db, SystemClock()) as telegram:
        inboxes = {TELEGRAM: telegram.inbox} if telegram else {}
        app = _gateway(config, storage, inboxes)
        app[DOORWAYS] = inboxes
        async with _listening(app, config, storage):
            yield


def _gateway(config: Config, storage: Storage, webhooks: Mapping[str, Webhook]) -> web.Application:
    return create_gateway(
        GatewaySettings(
            shop=config.business.to_shop(),
            allowed_origins=config.allowed_origins,
            demo=config.demo,
            metrics_dir=config.metrics_dir,
            secret_key=config.secret_key,
            identity_secret=config.identity_secret,
            api_key=config.api_key,
            public_url=config.public_url,
            mail_dir=None if config.smtp_url else config.mail_dir,
        ),
        storage.db,
        SystemClock(),
        webhooks,
    )


@contextlib.asynccontextmanager
async def _listening(app: web.Application, config: Config, storage: Storage) -> AsyncIterator[None]:
    runner = gateway_runner(app, SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        async with storage.wakeups.listening(app[LIVE].receive_hint):
            try:
                await web.TCPSite(runner, config.host, config.port).start()
            except OSError as error:
                raise ConfigError([f"HOST and PORT: cannot listen on {config.host}:{config.port} ({error})"]) from error
            yield
    finally:
        await runner.cleanup()


async def run_gateway(config: Config) -> None:
    """The gateway alone, until told to stop."""
    async with open_storage(config) as storage, running_gateway(config, storage):
        await told_to_stop()


async def run_scheduler(config: Config) -> None:
    """What happens at its own time (deliveries, and the jobs in services/timers.py), until told to stop."""
    async with open_storage(config) as storage, running_scheduler(config, storage):
        await told_to_stop()


@contextlib.asynccontextmanager
async def running_scheduler(config: Config, storage: Storage) -> AsyncIterator[None]:
    """Delivers what waits in the outbox, looks after the line, and runs what is due once a minute."""
    sender = config.business.contact.email
    deliver = SmtpMail(config.smtp_url, sender) if config.smtp_url else MailFolder(config.mail_dir, sender)
    wake, line_moved = asyncio.Event(), asyncio.Event()

    def receive_hint(hint: Hint) -> None:
        if hint.topic == "outbox":
            wake.set()
        elif hint.topic == "desk":
            line_moved.set()

    async def deliver_all() -> None:
        while True:
            wake.clear()
            try:
                while (entry := await deliver_next(storage.db, SystemClock(), deliver)) is not None:
                    if entry.sent_at is None:
                        log.warning("could not deliver %s: %s", entry.key, entry.last_error)
            except Exception:
                log.exception("could not look into the outbox; trying again")
            await set_within(wake, OUTBOX_POLL_SECONDS)

    shop, jobs = config.business.to_shop(), all_jobs(signed_links(config))

    async def look_after_desk() -> None:
        while True:
            line_moved.clear()
            try:
                await look_after_line(storage.db, SystemClock(), shop)
            except Exception:
                log.exception("could not look after the line; trying again")
            await set_within(line_moved, LINE_EVERY_SECONDS)
            # However fast it moves.
            await asyncio.sleep(LINE_PAUSE_SECONDS)

    async def run_all_timers() -> None:
        while True:
            await run_timers(storage.db, SystemClock(), shop, jobs)
            await asyncio.sleep(TIMERS_EVERY_SECONDS)

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(storage.wakeups.listening(receive_hint))
        tasks = [asyncio.create_task(each()) for each in (deliver_all, run_all_timers, look_after_desk)]
        telegram = await stack.enter_async_context(open_telegram(config, storage.db, SystemClock()))
        if telegram is not None:
            couriers = Couriers(storage.db, SystemClock(), telegram)
            await stack.enter_async_context(storage.wakeups.listening(couriers.receive_hint))
            delivering = asyncio.create_task(couriers.run())
            stack.push_async_callback(_finish, delivering, couriers.stop)
            if not has_public_address(config):
                tasks.append(asyncio.create_task(ask_for_messages(telegram)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _finish(task: asyncio.Task[None], stop: Callable[[], None]) -> None:
    """Let a task end by itself, and end it where it takes too long."""
    stop()
    await asyncio.wait({task}, timeout=SHUTDOWN_SECONDS)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def shop_content(config: Config) -> ContentFiles:
    """What the shop's owner writes beside business.yml. Raises ConfigError with every fault in it."""
    files = ShopFiles(config.business_file)
    return ContentFiles(files.knowledge, files.catalogue, config.business.facts())


def signed_links(config: Config) -> SignedLinks:
    """Makes links to the pages that are for one customer's eyes."""
    hours = config.business.to_shop().policies.invoice_link_hours
    channels = {TELEGRAM} if config.telegram_bot_token else set()
    return SignedLinks(config.public_url, config.secret_key, hours, channels)


def run_worker(config: Config, worker_id: str, *, supervised: bool) -> None:
    """A dialogue worker, until told to stop. A supervised one also stops when its supervisor is gone."""
    from bot.dialogue.lean import leave_out_tensorflow, needs_tensorflow

    if not needs_tensorflow(model_metadata(config)):
        leave_out_tensorflow()
    # Only now: importing Rasa is what takes time and memory.
    from bot.dialogue.assistant import Assistant
    from bot.dialogue.worker import Worker

    shop_files.set(ShopFiles(config.business_file))
    assistant = Assistant.load(config.model_path)

    async def work() -> None:
        async with open_storage(config) as storage:
            worker = Worker(
                worker_id,
                assistant,
                storage.db,
                SystemClock(),
                config.business.to_shop(),
                shop_content(config),
                signed_links(config),
                TurnMetrics(),
            )
            async with storage.wakeups.listening(worker.receive_hint):
                working = asyncio.create_task(worker.run())
                stopping = asyncio.create_task(told_to_stop(parent_pipe=supervised))
                await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
                worker.stop()
                stopping.cancel()
                await working

    try:
        asyncio.run(work())
    finally:
        assistant.close()


async def serve(config: Config) -> None:
    """Everything on one machine: schema, demo data, gateway, deliveries and workers, until told to stop."""
    # Clear faults now, instead of workers that keep dying.
    model_metadata(config)
    shop_content(config)
    await migrate_database(config)
    loaded = await load_demo_data(config) if config.demo else 0
    async with open_storage(config) as storage:
        passwords = await demo_agents(config, storage) if config.demo else {}
        async with running_gateway(config, storage), running_scheduler(config, storage):
            print(welcome(config, loaded, passwords), flush=True)
            slots = [asyncio.create_task(keep_worker(storage, slot)) for slot in range(config.workers)]
            try:
                await told_to_stop()
                print("Stopping: finishing what was begun …", flush=True)
            finally:
                for slot in slots:
                    slot.cancel()
                await asyncio.gather(*slots, return_exceptions=True)


async def keep_worker(storage: Storage, slot: int) -> None:
    """Keep one worker process running: a new one for each that dies. Cancelled, it stops the worker and waits."""
    wait = 1.0
    while True:
        worker_id = f"worker-{slot}-{new_id()[:12]}"
        loop = asyncio.get_running_loop()
        began = loop.time()
        # A session of its own, so that Ctrl-C reaches the supervisor alone; it holds the worker's standard input,
        # whose end tells the worker that the supervisor is gone.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "worker", "--id", worker_id, "--supervised"),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            await process.wait()
        except asyncio.CancelledError:
            await _stop_process(process)
            raise
        log.error("worker %s ended with status %s; starting another one", worker_id, process.returncode)
        try:
            await release_worker(storage.db, worker_id)
        except Exception:
            log.exception("could not give back what the worker held; its leases run out by themselves")
        if loop.time() - began > RESTART_SECONDS_AT_MOST:
            wait = 1.0
        await asyncio.sleep(wait)
        wait = min(wait * 2, RESTART_SECONDS_AT_MOST)


async def _stop_process(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await finish_within(process.wait(), SHUTDOWN_SECONDS)
    except asyncio.TimeoutError:
        log.warning("a worker did not stop in time; its turns are run again at the next start")
        process.kill()
        await process.wait()


async def told_to_stop(*, parent_pipe: bool = False) -> None:
    """Return at Ctrl-C or a termination signal; with `parent_pipe`, also when standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if not parent_pipe:
        await stop.wait()
        return
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        waits = {asyncio.create_task(stop.wait()), asyncio.create_task(reader.read())}
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
    finally:
        transport.close()


def welcome(config: Config, demo_customers: int, demo_passwords: Mapping[str, str] | None = None) -> str:
    """What to try, printed at the start."""
    return "\n".join(_welcome_lines(config, demo_customers, demo_passwords or {}))


def _welcome_lines(config: Config, demo_customers: int, demo_passwords: Mapping[str, str]) -> Iterator[str]:
    url = config.public_url
    yield ""
    yield f"{config.business.name}'s assistant is up. Its model loads for some seconds more; what is written is kept."
    if demo_customers:
        yield f"Loaded the demo shop: {demo_customers} customers with their orders."
    if config.demo:
        yield f"  Demo shop with the chat   {url}/"
    site = config.business.name
    yield f'  Embed on your site        <script async src="{url}/widget.js" data-site="{site}"></script>'
    yield f"  Desk, for your people     {url}/desk"
    for email, password in demo_passwords.items():
        yield f"    sign in (demo)          {email}   {password}"
    yield f"  REST, as Rasa's           POST {url}/webhooks/rest/webhook"
    if config.demo and config.api_key_is_kept:
        yield f"  API key (demo)            {config.api_key}"
    yield f"  Health                    {url}/readyz   {url}/metrics"
    if config.demo:
        yield "  Try it as (on the page)   " + ", ".join(f"{person.name} <{person.email}>" for person in DEMO_PEOPLE)
    yield "Ctrl-C stops it."
    yield ""


# --- `rasa run actions`: the actions without a worker ------------------------------------------------------------

_standalone: tuple[SqlDatabase, Config, ContentFiles] | None = None


@contextlib.asynccontextmanager
async def standalone_turn(sender_id: str) -> AsyncIterator[TurnContext]:
    """A turn for one action, under Rasa's own action server: its conversation is found by Rasa's sender id."""
    global _standalone
    clock = SystemClock()
    if _standalone is None:
        config = load_config(serving=False)
        db = SqlDatabase(create_engine(config.database_url), create_wakeups(config.database_url))
        _standalone = db, config, shop_content(config)
    db, config, content = _standalone
    conversation = await open_channel_conversation(db, clock, channel="rasa", external_id=sender_id[:200])
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        yield TurnContext(
            work,
            clock,
            config.business.to_shop(),
            locked or conversation,
            None,
            content,
            signed_links(config),
        )
