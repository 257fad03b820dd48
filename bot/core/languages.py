"""Languages: how they are named, and the website chat's sentences in one, with what can be wrong with a translation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# A sentence, or its plural forms by the categories of Unicode's plural rules: https://www.unicode.org/reports/tr35/
Sentence = str | Mapping[str, str]

PLURALS = ("zero", "one", "two", "few", "many", "other")
# "One message" says how many without the figure.
_MAY_LEAVE_OUT_THE_COUNT = ("zero", "one", "two")
DIRECTIONS = ("ltr", "rtl")
_ABOUT = ("language", "direction")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# A tag as BCP 47 has it, as far as needed: the language, and then script, region and more.
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9]{1,8})*")
MAX_TAG_CHARACTERS = 35
# Older codes that browsers and apps still send.
ALIASES = {"tl": "fil", "iw": "he", "in": "id", "ji": "yi", "nb": "no", "nn": "no"}
# What says that the language is unknown, or several, or none.
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
# How people name languages who have never heard of codes; the commonest ones.
_NAMES = {
    **{"english": "en", "filipino": "fil", "tagalog": "fil", "cebuano": "ceb", "bisaya": "ceb", "ilocano": "ilo"},
    **{"spanish": "es", "french": "fr", "german": "de", "italian": "it", "portuguese": "pt", "dutch": "nl"},
    **{"arabic": "ar", "hebrew": "he", "hindi": "hi", "indonesian": "id", "malay": "ms", "vietnamese": "vi"},
    **{"chinese": "zh", "mandarin": "zh", "japanese": "ja", "korean": "ko", "russian": "ru", "polish": "pl"},
}


@dataclass(frozen=True)
class Language:
    """One language of the chat: its code (`es`, `pt-BR`), which way it is written, and its sentences by their keys."""

    code: str
    direction: str
    texts: Mapping[str, Sentence]

    def over(self, below: Language) -> Language:
        """This language, with the sentences it has not taken from another one."""
        return Language(self.code, self.direction, {**below.texts, **self.texts})


def is_language_code(text: str) -> bool:
    """Whether this names a language as browsers do: en, fil, pt-BR."""
    return _CODE.fullmatch(text) is not None


def spoken_language(tag: object) -> str | None:
    """The language that a tag names, as browsers and apps send it: `es` for es-MX, `fil` for tl; None for nonsense."""
    found = _TAG.fullmatch(tag) if isinstance(tag, str) and len(tag) <= MAX_TAG_CHARACTERS else None
    code = found[1].lower() if found else None
    return None if code is None or code in _NO_LANGUAGE else ALIASES.get(code, code)


def named_language(text: str) -> str | None:
    """The same for what a person writes: a tag, or a name in English; None for what is neither."""
    word = text.strip().lower()
    return _NAMES.get(word) or spoken_language(word)


def as_language(code: str, content: Mapping[str, Sentence], direction: str = "ltr") -> Language:
    """A language file's content; `direction` counts where the file says nothing about it."""
    told = content.get("direction", direction)
    texts = {key: sentence for key, sentence in content.items() if key not in _ABOUT}
    return Language(code, told if isinstance(told, str) else direction, texts)


def language_faults(content: object, english: Language) -> Iterator[str]:
    """What is wrong with a language file, each as `key: what is wrong`. Sentences that it leaves out are no fault."""
    if not isinstance(content, dict):
        yield 'is not a list of sentences, each as "key": "sentence"'
        return
    for key, sentence in content.items():
        if key == "direction" and sentence not in DIRECTIONS:
            yield f"direction: {sentence!r} is not ltr (left to right) or rtl (right to left)"
        elif key not in _ABOUT and key not in english.texts:
            yield f"{key}: is not a sentence of the chat"
        elif key not in _ABOUT:
            yield from (f"{key}: {fault}" for fault in _sentence_faults(sentence, english.texts[key]))


def _sentence_faults(sentence: object, english: Sentence) -> Iterator[str]:
    if isinstance(english, str):
        if not isinstance(sentence, str) or not sentence.strip():
            yield "is not a sentence"
        elif wrong := _placeholders(sentence) ^ _placeholders(english):
            yield f"has not the same placeholders as in English: {', '.join(sorted(wrong))}"
        return
    if not isinstance(sentence, dict) or not sentence.get("other"):
        yield 'needs plural forms, at least {"other": "…"}'
        return
    allowed = _placeholders(english["other"])
    for category, form in sentence.items():
        if category not in PLURALS:
            yield f"{category} is not a plural form (there are: {', '.join(PLURALS)})"
        elif not isinstance(form, str) or not form.strip():
            yield f"{category} is not a sentence"
        else:
            wrong = _placeholders(form) ^ allowed
            if category in _MAY_LEAVE_OUT_THE_COUNT:
                wrong -= {"{count}"}
            if wrong:
                yield f"{category} has not the same placeholders as in English: {', '.join(sorted(wrong))}"


def _placeholders(sentence: str) -> set[str]:
    return {match[0] for match in _PLACEHOLDER.finditer(sentence)}
