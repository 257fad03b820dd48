"""A CSV file as rows: whatever its encoding, delimiter and compression, and however broken."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.core.import_values import Reason
from bot.core.imports import RejectedRow, Row
from bot.errors import ImportRefused

DELIMITERS = (",", ";", "\t", "|")
_NO_NAME = " ,;\t|"
_SPELT = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
UTF8 = "utf-8-sig"
# The csv module's own limit of a field is 131,072 characters; a row has to fit into this many.
MAX_ROW_CHARACTERS = 1_000_000
MAX_COLUMNS = 1_000
_CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = (
    *((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)


@dataclass(frozen=True)
class CsvOptions:
    """How a file is written. What is not given is found out; then the encoding is UTF-8, if no mark says otherwise."""

    encoding: str | None = None
    delimiter: str | None = None


class CsvFile:
    """A file with a header, to be read any number of times. Raises ImportRefused for what is wrong with all of it."""

    def __init__(self, path: Path, options: CsvOptions = CsvOptions()) -> None:
        self.path = path
        with self._clear_errors():
            start = self._read_start()
        self.encoding = _encoding(start, options.encoding)
        with self._clear_errors():
            self.header, self.delimiter = self._read_header(_delimiter(options.delimiter))

    def content_hash(self) -> str:
        """SHA-256 of the file as it lies there."""
        digest = hashlib.sha256()
        with self._clear_errors(), self.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def rows(self) -> Iterator[Row | RejectedRow]:
        """The rows after the header, each with as many cells as the header has columns; blank lines are left out."""
        width = len(self.header)
        with self._clear_errors(), self._open_text() as text:
            lines = _Lines(text)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            number = 0
            while True:
                first_line = lines.line_number + 1
                lines.characters = 0
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield _unreadable(number, first_line, lines, error)
                    lines.is_damaged = False
                    continue
                if number == 1 or not cells:
                    continue
                if len(cells) == width and not lines.is_damaged:
                    yield Row(number, cells)
                else:
                    yield _misshapen(number, cells, width, lines)
                    lines.is_damaged = False

    def _read_start(self) -> bytes:
        if not self.path.is_file():
            what = "is not a file that can be read twice" if self.path.exists() else "does not exist"
            raise ImportRefused([f"{self.path} {what}"])
        with self._open_bytes() as file:
            start = file.read(4)
        if not start:
            raise ImportRefused([f"{self.path} is empty"])
        return start

    def _read_header(self, delimiter: str | None) -> tuple[tuple[str, ...], str]:
        header: list[str] = []
        chosen, refusal = delimiter, None
        for candidate in (delimiter,) if delimiter else DELIMITERS:
            try:
                found = self._first_row(candidate)
            except ImportRefused as error:
                refusal = refusal or error
                continue
            # The first of those that find most columns.
            if len(found) > len(header):
                header, chosen = found, candidate
        if chosen is None or (len(header) < 2 and refusal) or not header:
            raise refusal or ImportRefused([f"{self.path}: the first row is empty; it should name the columns"])
        if len(header) > MAX_COLUMNS:
            raise ImportRefused([f"{self.path}: the header has more than {MAX_COLUMNS:,} columns"])
        return tuple(header), chosen

    def _first_row(self, delimiter: str) -> list[str]:
        with self._open_text() as text:
            lines = _Lines(text)
            try:
                cells = next(csv.reader(lines, delimiter=delimiter, strict=True))
            except StopIteration:
                return []
            except csv.Error as error:
                if _UNENDED in str(error):
                    raise _endless_quote(1) from None
                raise ImportRefused([f"{self.path}: the header cannot be read ({error})"]) from None
            if lines.is_damaged:
                raise ImportRefused([f"{self.path}: the header {Reason.BAD_CHARACTERS.explained}"])
            return [name.strip() for name in cells] if any(name.strip(_NO_NAME) for name in cells) else []

    @contextmanager
    def _open_bytes(self) -> Iterator[IO[bytes] | gzip.GzipFile]:
        with self.path.open("rb") as file:
            if file.peek(2)[:2] == _GZIP:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked
            else:
                yield file

    @contextmanager
    def _open_text(self) -> Iterator[io.TextIOWrapper]:
        with self._open_bytes() as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
            yield text

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise ImportRefused([f"{self.path}: the compressed file is damaged or incomplete"]) from None
        except OSError as error:
            raise ImportRefused([f"{self.path}: cannot be read ({error.strerror})"]) from None
        except UnicodeError:
            raise ImportRefused([self._encoding_fault()]) from None

    def _encoding_fault(self) -> str:
        hint = "; try --encoding cp1252" if self.encoding == UTF8 else ""
        return f"{self.path}: line {self._undecodable_line():,} is not {_plain_name(self.encoding)} text{hint}"

    def _undecodable_line(self) -> int:
        # Text is decoded in large pieces, so that the error itself does not tell the line.
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        line = 1
        with self._open_bytes() as file:
            chunk = file.read(_CHUNK_BYTES)
            try:
                while chunk:
                    line += decoder.decode(chunk).count("\n")
                    chunk = file.read(_CHUNK_BYTES)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
            except UnicodeError:
                pass
        return line


class _Lines:
    """The lines of a text, as the csv module wants them, and what has been seen of the present row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.line_number = 0
        # Of the present row: set back by whoever begins another one.
        self.characters = 0
        self.is_damaged = False
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        readline = self._text.readline
        first_line = 1
        while line := readline(MAX_ROW_CHARACTERS):
            self.line_number += 1
            if self.characters == 0:
                first_line = self.line_number
            self.characters += len(line)
            self.last = line
            if self.characters >= MAX_ROW_CHARACTERS:
                if self.line_number > first_line:
                    raise _endless_quote(first_line)
                while line and not line.endswith(("\n", "\r")):
                    line = readline(MAX_ROW_CHARACTERS)
                # A field of this length is refused, as the rest of it would be.
                line = "-" * MAX_ROW_CHARACTERS
            elif not line.isascii() or "\0" in line:
                line = self._without_damage(line)
            yield line

    def _without_damage(self, line: str) -> str:
        try:
            line.encode()
        except UnicodeEncodeError:
            line = line.encode("utf-8", "replace").decode()
            self.is_damaged = True
        if "\0" in line:
            line = line.replace("\0", "\N{REPLACEMENT CHARACTER}")
            self.is_damaged = True
        return line


# What the csv module says.
_TOO_LONG, _UNENDED = "field larger than field limit", "unexpected end of data"


def _endless_quote(line: int) -> ImportRefused:
    return ImportRefused([f"line {line:,}: a quotation mark begins a field that never ends"])


def _unreadable(number: int, first_line: int, lines: _Lines, error: csv.Error) -> RejectedRow:
    spans_lines = lines.line_number > first_line
    if _UNENDED in str(error) or (_TOO_LONG in str(error) and spans_lines):
        raise _endless_quote(first_line)
    reason = Reason.TOO_LONG_A_FIELD if _TOO_LONG in str(error) else Reason.BAD_QUOTES
    # What has gone wrong can be a million characters; the beginning is enough to find it.
    return RejectedRow(number, [lines.last.rstrip("\r\n")[:1_000]], reason)


def _misshapen(number: int, cells: list[str], width: int, lines: _Lines) -> RejectedRow:
    if lines.is_damaged:
        return RejectedRow(number, cells, Reason.BAD_CHARACTERS)
    if not any(map(str.strip, cells)):
        return RejectedRow(number, cells, Reason.EMPTY_ROW)
    reason = Reason.TOO_MANY_COLUMNS if len(cells) > width else Reason.TOO_FEW_COLUMNS
    return RejectedRow(number, cells, reason, f"{len(cells)} in place of {width}")


def _encoding(start: bytes, asked: str | None) -> str:
    if asked is None:
        return next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), UTF8)
    try:
        # Codecs such as base64 are none for text, and some are for strings that hold more than text.
        "a,b".encode(asked)
        name = codecs.lookup(asked).name
    except (LookupError, UnicodeError, ValueError):
        raise ImportRefused([f"--encoding: {asked!r} is not an encoding; utf-8 and cp1252 are"]) from None
    return UTF8 if name == "utf-8" else name


def _delimiter(asked: str | None) -> str | None:
    if asked is None:
        return None
    delimiter = _SPELT.get(asked.lower(), asked)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise ImportRefused([f"--delimiter: {asked!r} is not one character that can stand between fields"])
    return delimiter


def _plain_name(encoding: str) -> str:
    return "utf-8" if encoding == UTF8 else encoding
