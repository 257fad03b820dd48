"""What tests of the hand-off begin with: two agents at their desks, and a shop that is open."""

from __future__ import annotations

import pytest

from bot.core.shop import Shop
from bot.services.ports import Database
from tests.services.desk import ANA, BEN, add_agents, open_always


@pytest.fixture
async def desk(sql_db: Database) -> None:
    """Ana and Ben work there, and both are there."""
    await add_agents(sql_db, ANA, BEN)


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    """The shop, with people who answer at any hour."""
    return open_always(shop)
