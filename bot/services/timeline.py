"""One timeline per customer: what they bought, said, earned, agreed to, and what was noted, newest first."""

from __future__ import annotations

import heapq
from itertools import islice

from bot.core.consents import hash_address
from bot.core.customers import CustomerId
from bot.core.timeline import KINDS, Place, TimelineEntry
from bot.services.persons import customer_of
from bot.services.ports import UnitOfWork

MOST_AT_ONCE = 500


async def timeline_of(
    work: UnitOfWork, customer_id: CustomerId, *, before: Place | None = None, limit: int = 50
) -> list[TimelineEntry]:
    """What happened, newest first, at most so much of it; from that place on (`entry.place` of the last one shown).

    Of somebody who was merged it is the timeline of who they turned out to be. Nothing is missed or shown twice while
    new things happen. Raises CustomerNotFound.
    """
    limit = max(1, min(limit, MOST_AT_ONCE))
    customer = await customer_of(work, customer_id)
    ids = await work.merges.same_person(customer.id)
    identities = await work.identities.of_customers(ids)
    addresses = sorted({(one.kind, hash_address(one.kind, one.value)) for one in identities})
    pages = [await work.timeline.page(kind, ids, addresses, before=before, limit=limit) for kind in KINDS]
    # Within a kind they are in order already, by the database's own reckoning.
    newest_first = heapq.merge(*pages, key=lambda entry: (entry.at, KINDS.index(entry.kind)), reverse=True)
    return list(islice(newest_first, limit))
