"""What is a goodbye, and what wants an answer."""

from __future__ import annotations

import pytest

from bot.core.goodbyes import is_courtesy, is_goodbye


@pytest.mark.parametrize(
    "text",
    [
        "thanks, bye",
        "Thank you so much!",
        "ok thanks Ana 👍",
        "Great, that's all. Thank you for your help, have a nice day",
        "no thank you",
        "Bye bye",
        "Salamat po!",
        "that\N{RIGHT SINGLE QUOTATION MARK}s perfect, thanks",
    ],
)
def test_who_thanks_or_says_goodbye_wants_nothing(text):
    assert is_goodbye(text, "Ana Cruz")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "👍",
        "ok",
        "thanks, and when does it come",
        "thank you?",
        "thanks for nothing",
        "thanks, it is TC-10003",
        "thanks, 5",
        "Danke, und wann kommt es",
        "bye Ben",
        "Is that all",
        "thanks " * 16,
    ],
)
def test_whatever_may_want_an_answer_is_no_goodbye(text):
    assert not is_goodbye(text, "Ana Cruz")


@pytest.mark.parametrize("text", ["Thanks!", "ok", "Perfect, got it.", "👍", "All right", "ok thank you so much, bye"])
def test_who_only_nods_has_asked_nothing(text):
    assert is_courtesy(text)


@pytest.mark.parametrize("text", ["ok?", "help", "yes", "no", "1", "??", "all good beans", "what is good?"])
def test_what_may_be_an_answer_or_a_question_is_no_nod(text):
    assert not is_courtesy(text)
