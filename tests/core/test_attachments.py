"""What may be sent is decided by what it is, and its name hides nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.attachments import (
    EXTENSIONS,
    MAX_NAME_CHARACTERS,
    clean_name,
    file_in_words,
    media_type_of,
    size_in_words,
    what_it_is,
)
from bot.core.conversations import Attachment
from tests.sample_files import NOT_TAKEN, TAKEN

MEDIA_TYPES = st.sampled_from(sorted(EXTENSIONS))


@pytest.mark.parametrize("media_type", TAKEN)
def test_a_file_is_what_its_first_bytes_say(media_type):
    assert media_type_of(TAKEN[media_type]) == media_type


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_what_else_there_is_is_not_taken_and_called_by_its_name(name):
    words, content = NOT_TAKEN[name]

    assert media_type_of(content) is None
    assert what_it_is(content) == words


@given(st.binary(max_size=200), MEDIA_TYPES, st.data())
@example(b"", "image/png", None)
def test_mutated_files_are_of_a_type_by_their_own_signature_or_of_none(noise, media_type, data):
    begins_with = {
        "image/png": b"\x89PNG\r\n\x1a\n",
        "image/jpeg": b"\xff\xd8\xff",
        "image/gif": b"GIF8",
        "image/webp": b"RIFF",
        "application/pdf": b"%PDF-",
    }
    sample = TAKEN[media_type]
    cut = data.draw(st.integers(0, len(sample))) if data else 0
    content = sample[:cut] + noise + sample[cut + len(noise) :]

    found = media_type_of(content)

    if found in begins_with:
        assert content.startswith(begins_with[found])
    elif found == "image/heic":
        assert content[4:8] == b"ftyp"
    elif found == "text/plain":
        assert "\x00" not in content.decode("utf-8")
        assert not content.lstrip(b"\xef\xbb\xbf \t\r\n\x0c").startswith((b"<!", b"<h", b"<s", b"<?", b"#!"))
    else:
        assert found is None


@pytest.mark.parametrize(
    ("name", "media_type", "kept"),
    [
        ("mug.jpg", "image/jpeg", "mug.jpg"),
        ("IMG_1.JPEG", "image/jpeg", "IMG_1.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\Maria\\mug.png", "image/png", "mug.png"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.exe.pdf"),
        ("photo.jpg", "text/plain", "photo.txt"),
        ("photo.jpg", "image/png", "photo.png"),
        ("v1.2", "text/plain", "v1.2.txt"),
        ("a\u202egnp.exe", "image/png", "agnp.exe.png"),
        ("a\r\nSet-Cookie: x=1.png", "image/png", "aSet-Cookie_ x=1.png"),
        ('a".png', "image/png", "a_.png"),
        ("[photo: x].png", "image/png", "(photo_ x).png"),
        ("Cafe\u0301.png", "image/png", "Café.png"),
        ("семья 👨‍👩‍👧.png", "image/png", "семья 👨‍👩‍👧.png"),
        ("\udcff\x00.png", "image/png", "png.png"),
        ("", "image/gif", "photo.gif"),
        ("...", "application/pdf", "file.pdf"),
        (".htaccess", "text/plain", "htaccess.txt"),
    ],
)
def test_a_name_is_of_one_piece_and_its_ending_says_the_type(name, media_type, kept):
    assert clean_name(name, media_type) == kept


@given(st.text(max_size=400), MEDIA_TYPES)
def test_whatever_somebody_calls_it_the_name_is_harmless(name, media_type):
    kept = clean_name(name, media_type)

    assert 1 < len(kept) <= MAX_NAME_CHARACTERS
    assert kept.endswith(EXTENSIONS[media_type])
    assert not set('/\\"<>[]\r\n\x00') & set(kept)
    assert not {unicodedata.category(character) for character in kept if character not in "\u200c\u200d"} & {
        *("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert unicodedata.is_normalized("NFC", kept)
    assert not kept.startswith((".", " "))
    assert clean_name(kept, media_type) == kept
    kept.encode("utf-8")


def test_a_file_is_told_in_words():
    assert file_in_words(Attachment("1", "mug.jpg", "image/jpeg", 3)) == "[photo: mug.jpg]"
    assert file_in_words(Attachment("1", "a.pdf", "application/pdf", 3)) == "[file: a.pdf]"


@pytest.mark.parametrize(
    ("size", "words"), [(1, "1 KB"), (340 * 1024, "340 KB"), (10 * 2**20, "10 MB"), (2_500_000, "2.4 MB")]
)
def test_a_size_is_said_as_people_say_it(size, words):
    assert size_in_words(size) == words
