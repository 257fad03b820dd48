"""The customer beside the conversation, in a browser: what is shown, what is done for them, and how they are found."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from bot.core.agents import Agent
from bot.core.customers import Customer
from tests.browser.desk_page import (
    BEN,
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    is_told,
    lines,
    open_at,
    open_desk,
    row,
)
from tests.browser.desk_people import proven, stored, understood, with_history
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


@pytest.fixture
def helped(desk: DeskWindow, ana: Agent) -> tuple[str, Customer]:
    """A conversation of Ana's with somebody who has proven who they are."""
    customer = stored(desk, name="Maria Santos", phone="+639175550101", address="1 Mango Street, Manila")
    chat = desk.waiting("Where is my mug?")
    proven(desk, chat, customer)
    desk.claim(ana, chat)
    return chat, customer


def phone_of(desk: DeskWindow, customer: Customer) -> str | None:
    return desk.change(lambda work: work.customers.get(customer.id)).phone  # type: ignore[no-any-return]


def test_contact_data_are_changed_and_what_will_not_do_is_said(
    desk: DeskWindow, open_desk: Open, helped: tuple[str, Customer]
) -> None:
    chat, customer = helped
    other = stored(desk, name="Somebody Else")
    page = open_desk()
    open_at(page, chat)
    contact = page.get_by_test_id("panel-contact")
    expect(contact).to_contain_text("1 Mango Street")
    page.get_by_test_id("edit-contact").click()
    refused = page.get_by_role("alert")
    save = page.get_by_test_id("contact-ok")
    save.click()
    expect(refused).to_contain_text("Nothing was changed.")
    page.get_by_test_id("edit-phone").fill("call me maybe")
    save.click()
    expect(refused).to_contain_text("with its country", timeout=WAIT_MS)
    expect(page.get_by_test_id("edit-phone")).to_have_value("call me maybe")
    page.get_by_test_id("edit-phone").fill("+639175550199")
    page.get_by_test_id("edit-email").fill(str(other.email))
    save.click()
    expect(refused).to_contain_text("Propose a merge", timeout=WAIT_MS)
    assert phone_of(desk, customer) == "+639175550101"

    page.get_by_test_id("edit-email").fill("maria.santos@example.com")
    page.get_by_test_id("edit-address").fill("2 Mango Street, Manila")
    save.click()
    is_told(page, "Saved.")
    for words in ("+639175550199", "maria.santos@example.com", "2 Mango Street"):
        expect(contact).to_contain_text(words, timeout=WAIT_MS)
    assert phone_of(desk, customer) == "+639175550199"
    page.get_by_test_id("edit-contact").click()
    page.get_by_test_id("edit-phone").fill("")
    save.click()
    expect(contact).not_to_contain_text("+639175550199", timeout=WAIT_MS)


def test_points_are_given_for_a_reason_and_within_the_limit(open_desk: Open, helped: tuple[str, Customer]) -> None:
    page = open_desk()
    open_at(page, helped[0])
    give(page, "60", "")
    expect(page.get_by_test_id("goodwill-ok")).to_be_visible()
    page.get_by_test_id("goodwill-reason").fill("  ")
    page.get_by_test_id("goodwill-ok").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why", timeout=WAIT_MS)
    page.get_by_test_id("goodwill-reason").fill("A late parcel")
    page.get_by_test_id("goodwill-ok").click()
    is_told(page, "The points are given.")
    expect(page.get_by_test_id("points")).to_contain_text("60 points", timeout=WAIT_MS)

    give(page, "60", "One more")
    expect(page.get_by_role("alert")).to_contain_text("You can give 40 more points", timeout=WAIT_MS)
    page.get_by_test_id("goodwill-points").fill("40")
    page.get_by_test_id("goodwill-ok").click()
    expect(page.get_by_test_id("points")).to_contain_text("100 points", timeout=WAIT_MS)


def test_points_are_given_once_where_the_answer_was_lost(
    desk: DeskWindow, open_desk: Open, helped: tuple[str, Customer], ben: Agent
) -> None:
    page = open_desk(BEN)
    open_at(page, helped[0])
    lost = []

    def lose(route: object) -> None:
        lost.append(route.fetch())  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    page.route("**/goodwill", lose, times=1)
    give(page, "25", "A broken cup")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached", timeout=WAIT_MS)
    page.get_by_test_id("goodwill-ok").click()
    is_told(page, "The points are given.")
    expect(page.get_by_test_id("points")).to_contain_text("25 points", timeout=WAIT_MS)
    assert lost[0].ok  # type: ignore[attr-defined]


def give(page: Page, points: str, reason: str) -> None:
    page.get_by_test_id("give-points").click()
    page.get_by_test_id("goodwill-points").fill(points)
    page.get_by_test_id("goodwill-reason").fill(reason)
    page.get_by_test_id("goodwill-ok").click()


def test_two_records_are_proposed_to_be_one_person(
    desk: DeskWindow, open_desk: Open, helped: tuple[str, Customer]
) -> None:
    chat, customer = helped
    twin = stored(desk, name="Maria S. Santos")
    page = open_desk()
    open_at(page, chat)
    page.get_by_test_id("propose-merge").click()
    merge = page.get_by_test_id("merge-other")
    for words, refused in (("C-nobody", "no such customer"), (str(customer.external_id), "one customer already")):
        merge.fill(words)
        page.get_by_test_id("merge-ok").click()
        expect(page.get_by_role("alert")).to_contain_text(refused, timeout=WAIT_MS)
    merge.fill(str(twin.external_id))
    page.get_by_test_id("merge-ok").click()
    is_told(page, "Proposed.")
    expect(page.get_by_test_id("panel-merge")).to_contain_text("Maria S. Santos", timeout=WAIT_MS)


def test_earlier_conversations_and_what_was_between_them_are_at_hand(
    desk: DeskWindow, open_desk: Open, helped: tuple[str, Customer]
) -> None:
    chat, customer = helped
    with_history(desk, customer, "A mug with a crack", "TC-20777")
    earlier = desk.customer("I broke my spoon")
    proven(desk, earlier, customer)
    page = open_desk()
    open_at(page, chat)
    expect(page.get_by_test_id("proof")).to_contain_text("Verified")
    order = page.get_by_test_id("order").filter(has_text="TC-20777")
    order.locator("summary").click()
    expect(order).to_contain_text("1 × A mug with a crack")
    for part in ("feedback", "notes"):
        expect(page.get_by_test_id(f"panel-{part}")).to_contain_text("A mug with a crack")

    page.get_by_test_id("earlier").filter(has_text="spoon").click()
    expect(lines(page, "customer").first).to_contain_text("I broke my spoon", timeout=WAIT_MS)
    page.go_back()
    expect(lines(page, "customer").first).to_contain_text("Where is my mug?", timeout=WAIT_MS)


def test_everything_somebody_may_know_of_a_customer_finds_them(
    desk: DeskWindow, open_desk: Open, helped: tuple[str, Customer]
) -> None:
    chat, customer = helped
    with_history(desk, customer, "A red mug", "TC-20778")
    visitor = desk.customer("My kettle whistles", details={"name": "Vic Visitor", "email": "vic@example.com"})
    page = open_desk()
    page.keyboard.press("/")
    search = page.get_by_test_id("search")
    expect(page.get_by_text("Type a name")).to_be_visible()
    for words in ("tc-20778", str(customer.external_id), str(customer.email), "+639175550101"):
        search.fill(words)
        expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
        expect(row(page, visitor)).to_have_count(0)
    for words in ("vic visitor", "vic@example.com", "KETTLE WHISTLES"):
        search.fill(words)
        expect(row(page, visitor)).to_be_visible(timeout=WAIT_MS)
        expect(row(page, chat)).to_have_count(0)
    for words in ("zzz%_", "%"):
        search.fill(words)
        expect(page.get_by_text("Nothing was found.")).to_be_visible(timeout=WAIT_MS)


# What the assistant is taught


def test_what_was_misunderstood_is_marked_listed_and_exported(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("Do you [sell](item) tea & <b>pots</b>?")
    understood(desk, chat, 1, "track_order", 0.42)
    page = open_desk()
    open_at(page, chat)
    page.get_by_test_id("message").hover()
    page.get_by_test_id("understood-toggle").click()
    shown = page.get_by_test_id("understood")
    expect(shown).to_contain_text("Track order · 42 % sure")
    page.get_by_test_id("teach").click()
    expect(shown).not_to_contain_text("Marked as")
    for wish in ("greet", "delivery_period"):
        page.get_by_test_id("teach-wish").select_option(wish)
        page.get_by_test_id("teach").click()
        expect(shown).to_contain_text(f"Marked as: {wish.replace('_', ' ').capitalize()}", timeout=WAIT_MS)
    page.get_by_test_id("draft-question").click()
    is_told(page, "Noted as an unanswered question.")

    admins = open_desk(BEN, "/desk#/teaching")
    marked = admins.get_by_test_id("teaching").get_by_role("row").filter(has_text="pots")
    expect(marked).to_have_count(1, timeout=WAIT_MS)
    for words in ("Do you [sell](item) tea & <b>pots</b>?", "Track order", "Delivery period", "Ana Cruz"):
        expect(marked).to_contain_text(words)
    expect(admins.get_by_test_id("knowledge")).to_contain_text("tea & <b>pots</b>?")
    with admins.expect_download() as found:
        admins.get_by_test_id("teaching-export").click()
    exported = found.value.path().read_text()
    assert found.value.suggested_filename == "taught.yml"
    assert "- intent: delivery_period\n  examples: |\n    - Do you sell (item) tea & <b>pots</b>?\n" in exported
    assert "greet" not in exported

    marked.get_by_role("link").click()
    expect(lines(admins, "customer").first).to_contain_text("tea & <b>pots</b>?", timeout=WAIT_MS)

    admins.go_back()
    for listed in (marked, admins.get_by_test_id("knowledge").get_by_role("row").filter(has_text="pots")):
        listed.get_by_test_id("teaching-delete").click()
        admins.get_by_test_id("teaching-delete-dialog-ok").click()
        expect(listed).to_have_count(0, timeout=WAIT_MS)
