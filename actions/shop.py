"""Facts about the shop."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.context import turn_of
from actions.wording import day


class OpeningHours(Action):
    """Says whether the shop is open now, and when it is."""

    def name(self) -> str:
        return "action_opening_hours"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            hours, now = turn.shop.hours, turn.clock.now()
            if hours.is_open(now):
                closes = hours.closes_at(now)
                until = f" until {closes.astimezone(hours.zone):%H:%M}" if closes else ""
                status = f"We are open right now{until}."
            elif (opens := hours.next_opening(now)) is not None:
                local = opens.astimezone(hours.zone)
                today = local.date() == now.astimezone(hours.zone).date()
                when = "today" if today else f"on {day(opens, turn.shop)}"
                status = f"We are closed right now. We open again {when} at {local:%H:%M}."
            else:
                status = "We are closed right now."
            week = "\n".join(f"{days}: {times}" for days, times in hours.describe_week())
            dispatcher.utter_message(text=f"{status} Our opening hours:\n{week}\nI'm here around the clock.")
        return []
