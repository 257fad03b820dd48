"""How the desk is doing, as figures with what they mean, and as a table to save."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web
from pydantic import Field

from bot.core.desk_reports import DEFINITIONS
from bot.core.measures import Window
from bot.errors import DeskRefused
from bot.gateway.api_requests import Model
from bot.gateway.api_values import Day
from bot.gateway.desk_endpoints import Answer, Call, DeskEndpoints
from bot.services.desk_reports import as_csv, desk_report

USUAL_DAYS, MOST_DAYS = 30, 366

endpoints = DeskEndpoints()


class ReportDays(Model):
    """The first and the last day, in the shop's time zone; 30 days up to today where nothing is said."""

    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")


@endpoints.add("GET", "/reports")
async def get_report(call: Call) -> Answer:
    """The figures of a stretch of days, and what each one means."""
    window = _window(call)
    figures = await desk_report(call.db, call.shop, window, call.clock.now())
    days = {"from": window.first_day.isoformat(), "to": window.last_day.isoformat(), "zone": str(window.zone)}
    return {**days, "definitions": dict(DEFINITIONS), "figures": figures}


@endpoints.add("GET", "/reports.csv")
async def get_report_table(call: Call) -> Answer:
    """The same as a table."""
    window = _window(call)
    text = as_csv(await desk_report(call.db, call.shop, window, call.clock.now()))
    name = f"desk-{window.first_day}-{window.last_day}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


def _window(call: Call) -> Window:
    days, zone = call.query(ReportDays), call.shop.hours.zone
    last: date = days.last or call.clock.now().astimezone(zone).date()
    first: date = days.first or last - timedelta(days=USUAL_DAYS - 1)
    if not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        raise DeskRefused(f"Choose a first day, and a last day within {MOST_DAYS} days after it.")
    return Window(first, last, zone)
