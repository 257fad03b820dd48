"""Small files of every kind: those that are taken, and those that are not, whatever they are called."""

from __future__ import annotations

import struct
import zlib


def a_png(width: int = 4, height: int = 3, colour: tuple[int, int, int] = (200, 60, 40)) -> bytes:
    """A real picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")  # nothing in it
    )


def a_box(major: bytes, *compatible: bytes) -> bytes:
    """The box that begins an ISO media file, and something after it."""
    content = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 8 + len(content)) + b"ftyp" + content + b"\x00\x00\x00\x08mdat"


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
TAKEN = {
    "image/png": a_png(),
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
    "image/gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00;",
    "image/webp": b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00",
    "image/heic": a_box(b"heic", b"mif1", b"heic"),
    "application/pdf": PDF,
    "text/plain": "My order, ¿dónde está?\r\n\t1. a mug\n".encode(),
}
# What it is said to be, and what is in it.
NOT_TAKEN = {
    "html": ("a web page", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
    "html_after_blanks": ("a web page", b"\xef\xbb\xbf\r\n  \t<a href=x>click</a>"),
    "html_after_words": ("a web page", b"just words\n<SCRIPT src=//evil.example></script>"),
    "svg": ("a drawing (SVG)", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "svg_with_header": ("a drawing (SVG)", b'<?xml version="1.0"?>\n<svg onload="alert(1)"/>'),
    "xml": ("a web page", b"<?xml version='1.0'?><x/>"),
    "php": ("a program", b"<?php system($_GET['x']); ?>"),
    "shell": ("a program", b"#!/bin/sh\nrm -rf /\n"),
    "batch": ("a program", b"@echo off\r\ndel /q *\r\n"),
    "postscript": ("a program", b"%!PS-Adobe-3.0\n"),
    "exe": ("a program", b"MZ\x90\x00\x03\x00\x00\x00"),
    "elf": ("a program", b"\x7fELF\x02\x01\x01\x00"),
    "zip": ("a packed file or an Office document", b"PK\x03\x04\x14\x00\x00\x00\x08\x00"),
    "gzip": ("a packed file", b"\x1f\x8b\x08\x00"),
    "office": ("an Office document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    "rtf": ("a document of a word processor", b"{\\rtf1 hello}"),
    "mp4": ("a video", a_box(b"isom", b"mp41")),
    "avif": ("a picture of another kind", a_box(b"avif", b"mif1")),
    "bmp": ("a picture of another kind", b"BM\x46\x00\x00\x00"),
    "ogg": ("a sound file", b"OggS\x00\x02"),
    "text_with_nul": (None, b"hello\x00world"),
    "latin_1": (None, "dónde está".encode("latin-1")),
    "utf_16": (None, "hello".encode("utf-16")),
    "blanks": (None, b" \r\n\t"),
    "riff_alone": (None, b"RIFF\x00\x00\x00\x00WAVEfmt "),
    "png_without_header": ("a web page", b"\x89PNG\r\n\x1a\n<html>"),
    "pdf_after_html": ("a web page", b"<html>\n%PDF-1.7"),
    "heic_of_no_size": ("a video", b"\x00\x00\x00\x00ftypheic\x00\x00\x00\x00"),
}
