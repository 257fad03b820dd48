"""Whether somebody says that they need nothing more, or asks nothing."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# One of these has to be there, and next to them nothing but the words below: whatever else is said may be a wish.
_SAY_IT = frozenset(
    "thanks thank thankyou thx ty tnx cheers bye byebye goodbye cya salamat gracias merci danke adios paalam".split()
)
_GO_ALONG = frozenset(
    "a again all alright and awesome bye care cool day dear evening everything excellent fine for good got great have "
    "help helpful helping i is it it's its kind later lot lots lovely many much nice night no of oh ok okay okey one "
    "perfect po quick really right see so solved super sure take talk team that that's thats the then till time to "
    "too u very was weekend well were wonderful works yes yep you your".split()
)
# All that is said by whoever only nods.
_NODS = frozenset("all alright cool fine good got great it k nice ok okay okey perfect right super sure".split())
# Whoever writes more has more to say.
_WORDS = 15


def is_goodbye(text: str, *names: str) -> bool:
    """Whether a message thanks, or says goodbye, and wants nothing: "thanks Ana, bye". The names are those of the team.

    Mostly of English; what is not known to be one is taken for something that wants an answer.
    """
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    words = [word.casefold() for word in _WORD.findall(text)]
    called = {word.casefold() for name in names for word in _WORD.findall(name)}
    if "?" in text or not 0 < len(words) <= _WORDS or any(letter.isdigit() for letter in text):
        return False
    return not _SAY_IT.isdisjoint(words) and _SAY_IT | _GO_ALONG | called >= set(words)


def is_courtesy(text: str) -> bool:
    """Whether a message only nods, or is a goodbye: "OK", "Perfect, got it", a thumb; it wants no answer."""
    words = {word.casefold() for word in _WORD.findall(text)}
    is_nod = words <= _NODS and "?" not in text and not any(letter.isdigit() for letter in text)
    return is_nod or is_goodbye(text)
