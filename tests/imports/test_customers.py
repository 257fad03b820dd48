"""Customers from files: new ones, known ones by any identifier, and what was changed here stays."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from bot.core.imports import Note
from bot.services.consents import may_contact, record_consent
from bot.services.privacy import erase_customer
from tests.builders import stored_customer
from tests.fakes import MONDAY_MORNING as NOW
from tests.imports.importing import outcomes, reasons

HEADER = "ID,First Name,Last Name,E-mail,Phone,Street,City,Zip,Date of birth,Language,Customer since,Nickname"
MARIA = "C-1,Maria,Santos,Maria@Example.com,+63 917 123 4567,Main St 1,Cebu,6000,1990-02-28,en,2020-05-01,Mari"
ADDRESS = ("address=Street", "address=City")


async def test_a_customer_comes_with_all_that_the_shop_knows(importing):
    report = await importing.customers(HEADER, MARIA, columns=ADDRESS)

    assert outcomes(report) == {"imported": 1}
    assert await importing.all(
        *("customers", "external_id", "name", "email", "phone", "address", "postcode", "birthday_month"),
        *("birthday_day", "language", "preferred_name", "source", "created_at"),
    ) == [
        (
            *("C-1", "Maria Santos", "maria@example.com", "+63 917 123 4567", "Main St 1, Cebu", "6000", 2, 28, "en"),
            *("Mari", "import", datetime(2020, 4, 30, 16, 0, tzinfo=timezone.utc)),
        )
    ]
    assert await importing.all("customer_identities", "kind", "value") == [
        *(("email", "maria@example.com"), ("phone", "+639171234567"), ("shop", "C-1")),
    ]
    assert await importing.all("customer_addresses", "address") == ["Main St 1, Cebu"]


async def test_importing_the_same_again_changes_nothing(importing):
    await importing.customers(HEADER, MARIA, columns=ADDRESS)
    before = await importing.everything()

    report = await importing.customers(HEADER, MARIA, columns=ADDRESS, again=True)

    assert outcomes(report) == {"unchanged": 1}
    assert await importing.everything() == before


async def test_a_customer_is_found_by_number_else_by_email(importing):
    by_number = await stored_customer(importing.db, external_id="C-1", email="old@example.com", phone=None)
    by_email = await stored_customer(importing.db, external_id="C-2", email="ben@example.com", phone=None)

    report = await importing.customers(
        "id,email,phone", "C-1,new@example.com,+639171111111", ",Ben@example.com,+639172222222"
    )

    assert outcomes(report) == {"updated": 2}
    assert dict(await importing.all("customers", "id", "phone")) == {
        by_number.id: "+639171111111",
        by_email.id: "+639172222222",
    }


async def test_two_numbers_are_two_customers_whatever_address_they_share(importing):
    await stored_customer(importing.db, external_id="C-1", email="family@example.com")

    report = await importing.customers("id,email", "C-2,family@example.com", "C-3,family@example.com")

    assert outcomes(report) == {"imported": 2}
    assert await importing.all("customers", "external_id") == ["C-1", "C-2", "C-3"]


async def test_a_number_is_learnt_for_somebody_who_was_imported_without_one(importing):
    await importing.customers("email,name", "ben@example.com,Ben")
    report = await importing.customers("id,email,name", "C-2,ben@example.com,Ben")

    assert outcomes(report) == {"updated": 1}
    assert await importing.all("customers", "external_id", "name") == [("C-2", "Ben")]
    assert await importing.all("customer_identities", "kind", "value") == [
        ("email", "ben@example.com"),
        ("shop", "C-2"),
    ]


async def test_rows_of_the_same_customer_are_merged_and_the_first_value_counts(importing):
    rows = [
        "id,email,name,phone",
        "C-1,maria@example.com,Maria Santos,",
        "C-2,ben@example.com,Ben,",
        ",MARIA@example.com,Mary,+639171234567",
        "C-1,,Maria S.,",
    ]

    report = await importing.customers(*rows, batch_rows=1)
    again = await importing.customers(*rows, again=True)

    assert outcomes(report) == {"imported": 2, "merged": 2}
    assert outcomes(again) == {"unchanged": 2, "merged": 2}
    assert await importing.all("customers", "external_id", "name", "phone") == [
        ("C-1", "Maria Santos", "+639171234567"),
        ("C-2", "Ben", None),
    ]
    assert report.tally.notes[Note.DIFFERENT_ROWS.value] == 1


async def test_a_row_without_a_number_and_a_later_one_with_it_are_one_customer(importing):
    report = await importing.customers("id,email,name", ",ben@example.com,Ben", "C-2,ben@example.com,")

    assert outcomes(report) == {"imported": 1, "merged": 1}
    assert await importing.all("customers", "external_id", "name") == [("C-2", "Ben")]


async def test_what_the_customer_changed_stays_and_what_is_new_in_the_file_is_taken(importing):
    rows = "id,name,address,phone"
    await importing.customers(rows, "C-1,Maria Santos,Main St 1,+639171111111")
    ((customer_id,),) = [(one,) for one in await importing.all("customers", "id")]
    async with importing.db.transaction() as work:
        await work.customers.set_address(customer_id, "Their Own St 2", NOW)

    report = await importing.customers(rows, "C-1,Maria Cruz,Main St 1,+639172222222")

    assert outcomes(report) == {"updated": 1}
    assert report.tally.notes[Note.KEPT.value] == 1
    assert await importing.all("customers", "name", "address", "phone") == [
        ("Maria Cruz", "Their Own St 2", "+639172222222")
    ]


async def test_what_was_changed_in_both_stays_as_it_is_here_unless_the_file_is_to_count_more(importing):
    await importing.customers("id,address", "C-1,Main St 1")
    ((customer_id,),) = [(one,) for one in await importing.all("customers", "id")]
    async with importing.db.transaction() as work:
        await work.customers.set_address(customer_id, "Their Own St 2", NOW)

    kept = await importing.customers("id,address", "C-1,Other St 3")
    assert await importing.all("customers", "address") == ["Their Own St 2"]
    taken = await importing.customers("id,address", "C-1,Other St 3", overwrite=True)

    assert (outcomes(kept), outcomes(taken)) == ({"unchanged": 1}, {"updated": 1})
    assert await importing.all("customers", "address") == ["Other St 3"]


async def test_an_empty_cell_takes_nothing_away(importing):
    await importing.customers("id,name,phone", "C-1,Maria,+639171111111")

    report = await importing.customers("id,name,phone", "C-1,,")

    assert outcomes(report) == {"unchanged": 1}
    assert await importing.all("customers", "name", "phone") == [("Maria", "+639171111111")]


async def test_an_opt_out_survives_every_import_of_its_address(importing):
    await importing.customers("id,email,newsletter", "C-1,maria@example.com,yes")
    async with importing.db.transaction() as work:
        await record_consent(
            work,
            importing.clock,
            channel="email",
            address="maria@example.com",
            purpose="marketing",
            granted=False,
            wording="No more, please.",
            source="link",
        )
    said = (await importing.everything())["consents"]

    await importing.customers("id,email,newsletter", "C-1,maria@example.com,yes", again=True, overwrite=True)
    await importing.customers("id,email,newsletter", "C-2,Maria@example.com,yes", overwrite=True)

    assert (await importing.everything())["consents"] == said
    async with importing.db.reading() as work:
        assert not await may_contact(work, channel="email", address="maria@example.com", purpose="marketing")


@pytest.mark.parametrize("number", ["C-1", ""])
async def test_somebody_who_was_erased_does_not_come_back(importing, number):
    rows = ("id,email,name", f"{number},maria@example.com,Maria")
    await importing.customers(*rows)
    async with importing.db.transaction() as work:
        await erase_customer(work, importing.clock, (await importing.all("customers", "id"))[0], actor="operator")

    report = await importing.customers(*rows, "C-2,,Ben", overwrite=True)

    assert outcomes(report) == {"imported": 1, "rejected": 1}
    assert reasons(report) == {"erased": 1}
    assert [one["email"] for one in importing.rejects()] == ["maria@example.com"]
    assert await importing.all("customers", "name") == ["", "Ben"]
    assert len(await importing.all("import_marks", "record_id")) == 1


async def test_somebody_who_was_merged_here_is_left_alone(importing):
    kept = await stored_customer(importing.db, external_id="C-1", name="Maria", email="maria@example.com")
    await stored_customer(importing.db, external_id="C-2", name="M.", merged_into_id=kept.id)

    report = await importing.customers("id,name,phone", "C-2,Mary,+639171111111")

    assert outcomes(report) == {"merged": 1}
    assert await importing.all("customers", "name", "phone") == [("M.", None), ("Maria", None)]


async def test_an_address_that_somebody_has_proven_is_theirs(importing):
    from bot.core.customers import CustomerIdentity
    from bot.services.ids import new_id

    await stored_customer(importing.db, external_id="C-1", email="maria@example.com", name="Maria")
    ben = await stored_customer(importing.db, external_id="C-2", email="ben@example.com", name="Ben")
    async with importing.db.transaction() as work:
        await work.identities.prove(
            CustomerIdentity(new_id(), ben.id, "email", "second@example.com", "code", NOW, verified_at=NOW)
        )

    report = await importing.customers("email,phone", "second@example.com,+639171111111", overwrite=True)

    assert outcomes(report) == {"updated": 1}
    assert await importing.all("customers", "name", "phone") == [("Ben", "+639171111111"), ("Maria", None)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,Maria,,,,,", "missing"),
        (",,,,,,,", "empty_row"),
        ("C-2,maria(at)example.com,,,,,,", "bad_email"),
        (f"C-2,{'m' * 250}@example.com,,,,,,", "bad_email"),
        ("C-2,m\N{LATIN SMALL LETTER E WITH ACUTE}@example.com,,,,,,", "bad_email"),
        (f"{'C' * 201},,,,,,,", "too_long"),
        (f"C-2,,{'a' * 201},,,,,", "too_long"),
        ("C-2,,,call me,,,,", "bad_phone"),
        (f"C-2,,,,{'a' * 501},,,", "too_long"),
        ("C-2,,,,12345,,,", "bad_address"),
        (f"C-2,,,,,{'1' * 21},,", "too_long"),
        ("C-2,,,,,,1990-02-30,", "bad_date"),
        ("C-2,,,,,,13-01,", "bad_date"),
        ("C-2,,,,,,,2031-01-01", "future_date"),
    ],
)
async def test_a_row_that_cannot_be_is_rejected_with_its_reason_and_the_others_are_not(importing, row, reason):
    header = "id,email,name,phone,address,postcode,birthday,created_at"

    report = await importing.customers(header, "C-1,,Ana,,,,,", row, "C-3,,Bea,,,,,")

    assert outcomes(report) == {"imported": 2, "rejected": 1}
    assert reasons(report) == {reason: 1}
    assert [one["rejected_row"] for one in importing.rejects()] == ["3"]


@pytest.mark.parametrize("written", ["1990-02-28", "02-28", "--02-28", "2-28"])
async def test_of_a_birthday_only_month_and_day_are_kept(importing, written):
    await importing.customers("id,birthday", f"C-1,{written}")

    assert await importing.all("customers", "birthday_month", "birthday_day") == [(2, 28)]
