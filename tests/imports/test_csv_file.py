"""CSV files, whatever their encoding, delimiter and compression, and however broken: never more than a clear error."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.imports import RejectedRow, Row
from bot.errors import ImportRefused
from bot.imports.csv_file import CsvFile, CsvOptions


def file_of(tmp_path: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path, **options: str) -> list[list[str] | str]:
    """The cells of the rows; of a rejected one, why."""
    file = CsvFile(path, CsvOptions(**options))
    return [row.reason.value if isinstance(row, RejectedRow) else list(row.cells) for row in file.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path, delimiter):
    path = file_of(tmp_path, f'id{delimiter}"na,;me"{delimiter}x\n1{delimiter}a{delimiter}b\n')

    assert CsvFile(path).header == ("id", "na,;me", "x")
    assert cells(path) == [["1", "a", "b"]]


@pytest.mark.parametrize(("asked", "found"), [("#", "#"), ("tab", "\t"), ("\\t", "\t"), ("semicolon", ";")])
def test_the_delimiter_can_be_said(tmp_path, asked, found):
    assert cells(file_of(tmp_path, f"a,b{found}c\n1{found}2\n"), delimiter=asked) == [["1", "2"]]


@pytest.mark.parametrize("asked", ["", "ab", '"', "\n", "\0"])
def test_a_delimiter_that_cannot_be_is_refused(tmp_path, asked):
    with pytest.raises(ImportRefused, match="--delimiter"):
        CsvFile(file_of(tmp_path, "a,b\n"), CsvOptions(delimiter=asked))


def test_a_file_with_one_column_needs_no_delimiter(tmp_path):
    assert cells(file_of(tmp_path, "id\n1\n2\n")) == [["1"], ["2"]]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_on_every_system(tmp_path, ending):
    content = ending.join(["id,name", "1,a", '2,"b', 'c"', "", "3,d"])

    assert cells(file_of(tmp_path, content)) == [["1", "a"], ["2", f"b{ending}c"], ["3", "d"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_are_known_by_their_marks(tmp_path, encoding):
    path = file_of(tmp_path, "id,name\n1,José ☕\n".encode(encoding))

    assert CsvFile(path).header == ("id", "name")
    assert cells(path) == [["1", "José ☕"]]


def test_another_encoding_can_be_said(tmp_path):
    assert cells(file_of(tmp_path, "id,name\n1,José\n".encode("cp1252")), encoding="cp1252") == [["1", "José"]]


@pytest.mark.parametrize("asked", ["utf-9", "base64", "", "no\0", "rot13", "hex"])
def test_an_encoding_that_cannot_be_is_refused(tmp_path, asked):
    with pytest.raises(ImportRefused, match="--encoding"):
        CsvFile(file_of(tmp_path, "a,b\n"), CsvOptions(encoding=asked))


def test_text_of_another_encoding_is_refused_with_its_line_and_a_way_out(tmp_path):
    lines = [f"{number},{'x' * 50}\n".encode() for number in range(50_000)]
    path = file_of(tmp_path, b"id,name\n" + b"".join(lines) + "1,José\n".encode("cp1252") + b"2,b\n")

    with pytest.raises(ImportRefused, match=r"line 50,002 is not utf-8 text; try --encoding cp1252"):
        cells(path)


def test_compressed_files_are_known_whatever_they_are_called(tmp_path):
    packed = gzip.compress(b"id,name\n1,a\n")

    assert (
        cells(file_of(tmp_path, packed, "file.csv")) == cells(file_of(tmp_path, packed, "file.csv.gz")) == [["1", "a"]]
    )


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:40] + b"\0" * 40])
def test_a_damaged_compressed_file_is_refused(tmp_path, damage):
    content = "".join(f"{number},{number * 7919}\n" for number in range(2_000))

    with pytest.raises(ImportRefused, match="damaged or incomplete"):
        cells(file_of(tmp_path, damage(gzip.compress(b"id,name\n" + content.encode())), "file.csv.gz"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n1,2\n", "the first row is empty"),
        (",,\n1,2,3\n", "the first row is empty"),
        ('id,"name\n1,a\n', "line 1: a quotation mark begins a field that never ends"),
        ('"a"b,c\n', "the header cannot be read"),
        ("a\0,b\n", "the header holds characters"),
        (",".join("abc" for _ in range(1_001)) + "\n", "more than 1,000 columns"),
    ],
)
def test_a_file_without_a_header_is_refused(tmp_path, content, said):
    with pytest.raises(ImportRefused) as refusal:
        CsvFile(file_of(tmp_path, content))

    assert said in refusal.value.message


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, said in ((tmp_path / "none.csv", "does not exist"), (tmp_path, "is not a file")):
        with pytest.raises(ImportRefused, match=said):
            CsvFile(path)


def test_a_file_with_a_header_alone_has_no_rows(tmp_path):
    assert cells(file_of(tmp_path, "id,name\n")) == cells(file_of(tmp_path, "id,name")) == []


def test_a_quotation_mark_that_never_ends_is_an_error_that_names_its_line(tmp_path):
    with pytest.raises(ImportRefused, match="line 3: a quotation mark"):
        cells(file_of(tmp_path, 'id,name\n1,a\n2,"b\n3,c\n'))


def test_a_quotation_mark_that_swallows_a_long_file_is_an_error_long_before_its_end(tmp_path):
    rows = "".join(f"{number},x\n" for number in range(400_000))

    with pytest.raises(ImportRefused, match="line 3: a quotation mark"):
        cells(file_of(tmp_path, 'id,name\n1,a\n2,"b\n' + rows))


def test_broken_rows_are_rejected_and_the_rows_around_them_are_not(tmp_path):
    broken = ['2,"b"c', "3", "4,d,e", "5,\0", f"6,{'f' * 140_000}", f"7,{'g' * 3_000_000}", ",", ",,"]
    content = "\n".join(["id,name", "1,a", *broken, "8,h"])

    assert cells(file_of(tmp_path, content)) == [
        ["1", "a"],
        *("bad_quotes", "too_few_columns", "too_many_columns", "bad_characters", "too_long_a_field"),
        *("too_long_a_field", ["", ""], "empty_row", ["8", "h"]),
    ]


def test_rows_have_the_numbers_that_a_spreadsheet_shows(tmp_path):
    file = CsvFile(file_of(tmp_path, 'id,name\n1,"a\nb"\n\n3,c\n'))

    assert [row.number for row in file.rows()] == [2, 4]


def test_halves_of_characters_are_rejected(tmp_path):
    assert cells(file_of(tmp_path, "id,name\n1,\\ud800\n2,b\n"), encoding="unicode_escape") == [
        "bad_characters",
        ["2", "b"],
    ]


rows_of_text = st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), min_size=1, max_size=8)


@given(rows_of_text, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_as_csv_is_read_as_it_was(tmp_path, rows, delimiter, ending):
    storable = [[cell.encode("utf-8", "replace").decode().replace("\0", "0") for cell in row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "name"], *storable])

    found = cells(file_of(tmp_path, text.getvalue()))

    assert found == storable


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "cp1252", "utf-16", "utf-7", "unicode_escape"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_lies_in_a_file_it_is_read_or_refused(tmp_path, content, encoding):
    path = file_of(tmp_path, b"id,name\n" + content)

    try:
        file = CsvFile(path, CsvOptions(encoding=encoding))
        rows = list(file.rows())
    except ImportRefused as refusal:
        assert refusal.faults
        return
    assert all(isinstance(row, RejectedRow) or len(row.cells) == len(file.header) for row in rows)
    assert [row.number for row in rows] == sorted({row.number for row in rows})
    assert rows == list(file.rows())
    assert all(isinstance(row, Row | RejectedRow) for row in rows)
