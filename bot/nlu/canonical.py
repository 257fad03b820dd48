"""The form in which a message is understood: its particulars, which would only mislead, made all alike."""

import re

_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w.-]{1,255}")
_LONG_NUMBER = re.compile(r"[0-9]{4,}")


def canonical(text: str) -> str:
    """Return the text with every e-mail address the same, and every number of four digits or more all zeros.

    So "where is TC-10002" and "where is TC-48213" are one sentence to the encoder and to the classifier.
    """
    text = _ADDRESS.sub("name@example.com", text)
    return _LONG_NUMBER.sub(lambda match: "0000" if len(match.group()) == 4 else "00000", text)
