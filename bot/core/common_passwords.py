"""Passwords that everybody who guesses tries first."""

from __future__ import annotations

import re

# What is often made longer by digits and marks, before it or behind it: "password12", "!welcome2024".
_WORDS = frozenset(
    """
    password passwort passw contrasena motdepasse wachtwoord senha parola haslo sandi
    welcome welkom bienvenido letmein iloveyou mahalkita mahalko sunshine princess football baseball basketball
    superman batman spiderman starwars pokemon dragon monkey shadow master michael jordan jessica charlie
    freedom whatever trustno computer internet samsung google facebook administrator admin root user guest support
    service helpdesk desk agent customer customerservice manager shop store sales office company business secret
    changeme change default temporary temp test testing login signin access qwerty qwertyuiop qwertz azerty asdfgh
    asdfghjkl asdf zxcvbn zxcvbnm qazwsx qazwsxedc wasd abc abcd abcde abcdef abcdefg abcdefgh abcdefghij
    spring summer autumn winter january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday philippines pilipinas manila
    """.split()
)
# What people write for letters.
_LETTERS = str.maketrans("@4301$5!7", "aaeoissit")
_ROWS = (
    *("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm"),
    *("azertyuiopqsdfghjklmwxcvbn", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm"),
)
_EDGES = re.compile(r"^[^a-z]+|[^a-z]+$")


def is_common(password: str) -> bool:
    """Whether a password is a word that is often used, with what is often put around it, a row of keys, or a date."""
    plain = password.lower()
    for one in (plain, _EDGES.sub("", plain).translate(_LETTERS), plain.translate(_LETTERS)):
        core = _EDGES.sub("", one)
        if core in _WORDS or _is_repeated(core):
            return True
        pieces = [piece for piece in re.split(r"[^a-z]+", one) if piece]
        if pieces and all(piece in _WORDS for piece in pieces) and len(set(pieces)) < 3:
            return True
    digits = "".join(filter(str.isdigit, plain))
    is_number = not any(map(str.isalpha, plain)) and len(digits) < 12
    return is_number or any(plain in row or plain[::-1] in row for row in _ROWS)


def _is_repeated(core: str) -> bool:
    """Whether it is one of the words, again and again."""
    return any(core and not core.replace(word, "") for word in _WORDS if len(word) > 2)
