"""Runs of imports: broken off and gone on with, tried without effect, repeated, and always accounted for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.import_fields import Kind
from bot.core.imports import Tally
from bot.core.loyalty import EarningRules, Program
from bot.errors import ImportRefused, ImportUnaccounted, TransactionLost
from bot.imports.rejects import COLUMNS, rejects_beside
from bot.services.imports import check_account
from tests.builders import a_shop, stored_customer
from tests.imports.importing import ORDER_LINE_COLUMNS, ORDER_LINES, outcomes, reasons, rows_of

LINES = (
    "1001,2025-12-01,C-1,MUG,Mug,2,4.50",
    "1002,2025-12-01,C-2,MUG,Mug,1,4.50",
    "1003,2025-12-01,C-3,MUG,Mug,nothing,4.50",
    "1001,2025-12-01,C-1,TEA,Tea,1,3.00",
    "1004,2025-12-01,,MUG,Mug,1,4.50",
    "1005,2025-12-01,C-2,MUG,Mug,nothing,4.50",
    "1006,2025-12-01,C-2,MUG,Mug,1,4.50",
)
DONE = {"imported": 5, "rejected": 2}


class Killed(RuntimeError):
    """Stands for a process that dies."""


def dies_at_batch(
    importing: Any,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    moment: str = "write",
    error: type[Exception] = Killed,
) -> None:
    """Let an import die in its n-th batch: when it writes, or when it has written and not committed yet."""
    from bot.storage.imports import SqlImports

    name = {"write": "write", "save": "save_run"}[moment]
    original = getattr(SqlImports, name)
    seen = []

    async def failing(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(1)
        if len(seen) == number:
            if moment == "save":
                await original(self, *arguments, **options)
            raise error()
        return await original(self, *arguments, **options)

    monkeypatch.setattr(SqlImports, name, failing)


@pytest.mark.parametrize("moment", ["write", "save"])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 6])
async def test_an_import_that_died_goes_on_where_it_was_and_ends_as_if_it_had_not(
    importing, monkeypatch, batch, moment
):
    path = importing.write(ORDER_LINES, *LINES)
    with monkeypatch.context() as patch:
        dies_at_batch(importing, patch, batch, moment)
        with pytest.raises(Killed):
            await importing.file(Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=1)
    (done,) = await importing.all("import_runs", "rows_done")

    report = await importing.file(Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=1)

    assert outcomes(report) == DONE
    assert report.tally.records["orders added"] == 4
    assert (done == 0) == (batch == 1)
    assert await importing.all("orders", "number", "total_minor") == [
        *(("1001", 1200), ("1002", 450), ("1004", 450), ("1006", 450)),
    ]
    assert [one["rejected_row"] for one in importing.rejects()] == ["4", "7"]
    assert any("were imported before; going on" in text for text in importing.said) == (batch > 1)


@pytest.mark.parametrize("moment", ["write", "save"])
async def test_a_batch_that_is_in_anothers_way_is_tried_again(importing, monkeypatch, moment):
    dies_at_batch(importing, monkeypatch, 2, moment, TransactionLost)

    path = importing.write(ORDER_LINES, *LINES)
    report = await importing.file(Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=1)

    assert outcomes(report) == DONE
    assert report.tally.records["orders added"] == 4
    assert [one["rejected_row"] for one in importing.rejects()] == ["4", "7"]


async def test_an_import_that_died_may_go_on_with_batches_of_another_size(importing, monkeypatch):
    path = importing.write(ORDER_LINES, *LINES)
    with monkeypatch.context() as patch:
        dies_at_batch(importing, patch, 3)
        with pytest.raises(Killed):
            await importing.file(Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=2)

    report = await importing.file(Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=100)

    assert outcomes(report) == DONE
    assert len(importing.rejects()) == 2


async def test_a_file_that_was_imported_is_not_imported_again_unless_asked(importing):
    await importing.order_lines(*LINES)
    before = await importing.everything()

    second = await importing.order_lines(*LINES)
    assert second.is_old
    assert outcomes(second) == DONE
    assert "nothing was done now. --again" in importing.said[-1]

    third = await importing.order_lines(*LINES, again=True)
    assert not third.is_old
    assert outcomes(third) == {"unchanged": 5, "rejected": 2}
    assert await importing.everything() == before
    assert len(importing.rejects()) == 2


async def test_another_mapping_makes_another_run_of_the_same_file(importing):
    await importing.order_lines(*LINES)

    report = await importing.order_lines(*LINES, currency="EUR")

    assert not report.is_old
    assert len(await importing.all("import_runs", "id")) == 2


async def test_a_trial_run_counts_everything_and_writes_nothing(importing):
    await stored_customer(importing.db, external_id="C-1")
    before = await importing.everything()

    trial = await importing.order_lines(*LINES, dry_run=True, batch_rows=1)

    assert await importing.everything() == before
    assert await importing.all("import_runs", "id") == []
    assert await importing.all("audit_log", "id") == []
    assert trial.dry_run
    assert [one["rejected_row"] for one in importing.rejects()] == ["4", "7"]
    real = await importing.order_lines(*LINES, batch_rows=1)
    # Of customers, orders and lines, too, although nothing of the batches before was there to be found.
    assert (trial.tally.as_dict(), trial.rows) == (real.tally.as_dict(), real.rows)


async def test_a_trial_run_of_customers_counts_as_the_real_one_does(importing):
    rows = [
        "id,email,name",
        "C-1,a@example.com,Ana",
        ",b@example.com,Bea",
        "C-1,,Anna",
        "C-2,b@example.com,",
        "C-3,x,X",
    ]

    trial = await importing.customers(*rows, dry_run=True, batch_rows=1)
    assert await importing.all("customers", "id") == []
    real = await importing.customers(*rows, batch_rows=1)

    assert trial.tally.as_dict() == real.tally.as_dict()


async def test_the_run_and_its_end_are_on_record(importing):
    await importing.order_lines(*LINES)

    ((rows, counts, finished_at),) = await importing.all("import_runs", "rows_done", "counts", "finished_at")
    assert (rows, counts["outcomes"], finished_at) == (7, DONE, importing.clock.now())
    assert await importing.all("audit_log", "actor", "action", "detail") == [
        ("operator", "import", {"kind": "orders", "rows": 7, "outcomes": DONE})
    ]


async def test_rejected_rows_can_be_corrected_and_imported_by_themselves(importing):
    await importing.order_lines(*LINES)
    rejected = rejects_beside(importing.folder / "file.csv")
    rejected.write_text(rejected.read_text().replace("nothing,", "3,"))

    report = await importing.file(Kind.ORDERS, rejected, columns=ORDER_LINE_COLUMNS)

    assert outcomes(report) == {"imported": 2}
    assert len(await importing.all("orders", "number")) == 6


async def test_a_reject_of_a_reject_file_names_its_reasons_once(importing):
    await importing.order_lines(*LINES)
    rejected = rejects_beside(importing.folder / "file.csv")

    await importing.file(Kind.ORDERS, rejected, columns=ORDER_LINE_COLUMNS)

    header, *rows = rows_of(rejects_beside(rejected))
    assert header == [*COLUMNS, *ORDER_LINES.split(",")]
    assert [row[0] for row in rows] == ["2", "3"]


async def test_rejected_rows_are_written_as_the_file_is(importing):
    path = importing.write("id;name;email", "C-1;José;nobody", encoding="cp1252")

    await importing.file(Kind.CUSTOMERS, path, encoding="cp1252")

    assert rejects_beside(path).read_text(encoding="cp1252").splitlines() == [
        "rejected_row;rejected_because;rejected_detail;id;name;email",
        "2;bad_email;not an e-mail address (email);C-1;José;nobody",
    ]


async def test_a_reject_file_of_an_earlier_import_goes_when_nothing_is_rejected_any_more(importing):
    await importing.customers("id,email", "C-1,nobody")
    assert len(importing.rejects()) == 1

    await importing.customers("id,email", "C-1,somebody@example.com")

    assert not rejects_beside(importing.folder / "file.csv").exists()


@pytest.mark.parametrize("name", ["file.csv", "precious.csv"])
async def test_the_reject_file_never_takes_the_place_of_another_file(importing, name):
    path = importing.write("id,email", "C-1,nobody")
    importing.write("precious", name="precious.csv")

    with pytest.raises(ImportRefused, match="--rejects"):
        await importing.file(Kind.CUSTOMERS, path, rejects=importing.folder / name)

    assert (importing.folder / "precious.csv").read_text() == "precious\n"
    assert await importing.all("import_runs", "id") == []


async def test_two_imports_of_one_file_at_once_import_it_once(importing):
    from asyncio import gather

    path = importing.write(ORDER_LINES, *(f"{1000 + i},2025-12-01,C-{i % 7},A,A,1,1.00" for i in range(200)))

    done = await gather(
        *(
            importing.file(
                Kind.ORDERS, path, columns=ORDER_LINE_COLUMNS, batch_rows=10, rejects=importing.folder / f"{i}.csv"
            )
            for i in range(2)
        ),
        return_exceptions=True,
    )

    assert any(not isinstance(one, BaseException) for one in done), done
    assert {type(one).__name__ for one in done} <= {"Report", "ImportDisturbed"}
    assert len(await importing.all("orders", "number")) == 200
    assert len(await importing.all("customers", "external_id")) == 7


async def test_history_earns_nothing_unless_that_is_asked_for(importing):
    importing.shop = a_shop(loyalty=Program("Suki Club", EarningRules(Fraction(1, 10))))
    await importing.order_lines("1001,2025-12-01,C-1,MUG,Mug,2,4.50")
    assert await importing.all("ledger_entries", "points") == []

    report = await importing.order_lines("1001,2025-12-01,C-1,MUG,Mug,2,4.50", earn=True)
    await importing.order_lines("1001,2025-12-01,C-1,MUG,Mug,2,4.50", earn=True, again=True)

    assert outcomes(report) == {"unchanged": 1}
    assert len(await importing.all("ledger_entries", "points")) == 1


def test_an_account_that_does_not_add_up_is_an_error():
    tally = Tally()
    check_account(tally, 0)
    with pytest.raises(ImportUnaccounted):
        check_account(tally, 1)
    tally.outcomes["rejected"] += 1
    with pytest.raises(ImportUnaccounted):
        check_account(tally, 1)


async def test_a_row_that_is_lost_on_the_way_is_noticed(importing, monkeypatch):
    from bot.imports.grouping import Grouping

    items = Grouping.items
    monkeypatch.setattr(Grouping, "items", lambda self: list(items(self))[:-1])

    with pytest.raises(ImportUnaccounted):
        await importing.order_lines(*LINES)
    assert await importing.all("import_runs", "finished_at") == [None]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from(["A", "B"]), st.sampled_from(["1", "2", "x"])),
        min_size=1,
        max_size=12,
    ),
    batch_rows=st.integers(1, 5),
)
def test_an_order_is_the_same_however_its_rows_are_spread(lines, batch_rows, tmp_path_factory, sqlite_url):
    # Grouping alone, without a database: it decides what belongs together.
    from bot.core.import_mapping import ImportMapping, Layout
    from bot.core.imports import RejectedRow
    from bot.imports.csv_file import CsvFile
    from bot.imports.grouping import Grouping
    from bot.storage.row_index import SqliteRowIndex

    path = tmp_path_factory.mktemp("spread") / "file.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [("n", "s", "q"), *lines]))
    file = CsvFile(path)
    mapping = ImportMapping(Kind.ORDERS, {"number": ("n",), "sku": ("s",)}, "USD", None)  # type: ignore[arg-type]
    index = SqliteRowIndex()
    grouping = Grouping(file, Layout(mapping, file.header), index, most=4)

    assert grouping.survey(lambda _: None) == len(lines)
    first, second = list(grouping.items()), list(grouping.items())
    index.close()

    assert first == second
    groups = [item for item in first if not isinstance(item, RejectedRow)]
    surplus = [item for item in first if isinstance(item, RejectedRow)]
    numbers = sorted([row.number for group in groups for row in group.rows] + [row.number for row in surplus])
    assert numbers == list(range(2, len(lines) + 2))
    for group in groups:
        (name,) = {row.cells[0] for row in group.rows}
        there = [place for place, line in enumerate(lines, 2) if line[0] == name]
        assert [row.number for row in group.rows] == there[:4]
        assert group.is_apart == (there != list(range(there[0], there[0] + len(there))))
    assert len({group.rows[0].cells[0] for group in groups}) == len(groups)


def test_reasons_are_told_in_words():
    from bot.core.import_values import Reason
    from bot.core.imports import Note

    assert all(reason.explained for reason in Reason)
    assert all(note.explained for note in Note)


async def test_no_reason_is_counted_twice(importing):
    report = await importing.order_lines(*LINES)

    assert sum(reasons(report).values()) == outcomes(report)["rejected"]
