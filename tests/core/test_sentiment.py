"""How messages sound."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.sentiment import Mood, is_angry, is_threat, sentiment_of

# Lines of `angry`, `threat` or `calm`, and a sentence.
SENTENCES = [tuple(line.split("\t")) for line in Path(__file__).with_name("anger.tsv").read_text("utf-8").splitlines()]
ANGRY = [
    "This is ridiculous, I have been waiting for two weeks!",
    "You are all idiots",
    "WORST SHOP EVER",
    "I am furious. Never again.",
    "your service is terrible",
    "this is a scam",
    "What the hell is going on with my order",
    "I’ve had enough of this",
    "are you stupid?",
    "I'm so frustrated and disappointed",
    "thanks for nothing",
    "It is not acceptable, it is outrageous",
    "shut up bot",
    "WHERE IS MY ORDER, THIS IS SO BAD AND LATE",
    "Disappointing. Fix this!!",
    "the worst coffee I have ever had",
    "stop wasting my time, this is useless",
    "you lied to me",
    "I hate this chat",
    "fucking useless",
]
CALM = [
    "Where is my order?",
    "My parcel is late, and the box was damaged, and one mug is missing",
    "I have a problem with my order",
    "It's broken",
    "the mug arrived broken and the handle is missing, this is sad",
    "not bad at all",
    "I'm not angry, I just want to know where it is",
    "I hate to bother you, but where is my refund?",
    "No problem, take your time",
    "that's not terrible",
    "Could be worse, could be better.",
    "it is not good",
    "I am not happy with the grinder",
    "It was never awful here, I love the place",
    "I want to cancel TC-10002",
    "sorry, I meant the other one",
    "I'd like to make a complaint",
    "damn good coffee, thank you",
    "WHERE IS MY ORDER",
    "How do I get a refund for a bad batch?",
    "scampi",
    "ok",
    "",
    "1200",
    "¿dónde está mi pedido?",
    "😀👍",
]
HAPPY = ["Great, thank you!", "the coffee is excellent", "I love it", "can't complain", "You never disappoint, perfect"]


@pytest.mark.parametrize("text", ANGRY)
def test_anger_is_heard(text):
    assert is_angry(text), sentiment_of(text)


@pytest.mark.parametrize("text", CALM + HAPPY)
def test_a_calm_message_is_not_taken_for_anger(text):
    assert not is_angry(text), sentiment_of(text)


def heard(kind: str) -> tuple[list[str], list[str]]:
    """The sentences of a kind for which a person would be called, and the others."""
    texts = [text for what, text in SENTENCES if what == kind]
    return [text for text in texts if is_angry(text) or is_threat(text)], [
        text for text in texts if not is_angry(text) and not is_threat(text)
    ]


@pytest.mark.parametrize("kind", ["angry", "threat"])
def test_of_our_angry_sentences_nearly_all_are_heard(kind):
    found, missed = heard(kind)

    assert len(found) >= 0.95 * len(found + missed), missed


def test_of_our_calm_sentences_hardly_any_calls_a_person():
    found, quiet = heard("calm")

    assert len(found) < 0.01 * len(found + quiet), found


@pytest.mark.parametrize(
    ("about_us", "about_something_else"),
    [
        ("your service is terrible", "the smell of the descaler is terrible"),
        ("this company is garbage", "can I throw the filters into the garbage?"),
        ("your bot is useless", "the coupon is useless on sale items, right?"),
        ("Useless!", "is the lid useless without the cup?"),
        ("you are a fraud", "I want to report fraud with my card"),
    ],
)
def test_what_is_bad_by_itself_is_anger_only_when_it_is_about_us(about_us, about_something_else):
    assert is_angry(about_us) and not is_angry(about_something_else)


def test_thanks_take_no_anger_away_and_praise_does():
    assert is_angry("this is ridiculous, thanks")
    assert not is_angry("this is ridiculous, I love it")


@pytest.mark.parametrize("text", HAPPY)
def test_joy_is_heard(text):
    assert sentiment_of(text).mood is Mood.HAPPY


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("it is good", Mood.HAPPY),
        ("it is not good", Mood.UNHAPPY),
        ("it isn't good", Mood.UNHAPPY),
        ("it isn’t very good", Mood.UNHAPPY),
        ("nobody was helpful", Mood.UNHAPPY),
        ("not bad", Mood.HAPPY),
        ("no, it is good", Mood.HAPPY),
        ("it does not matter but the coffee is good", Mood.HAPPY),
        ("it is not terrible", Mood.NEUTRAL),
        ("it is late", Mood.UNHAPPY),
        ("it will come on Friday", Mood.NEUTRAL),
    ],
)
def test_not_turns_a_word_around_within_its_clause(text, mood):
    assert sentiment_of(text).mood is mood


def test_the_words_that_say_so_are_named():
    assert sentiment_of("Terrible. The staff was NOT helpful, and late!").because == ("terrible", "not helpful", "late")


def test_a_long_list_of_faults_is_no_anger_but_shouting_it_is():
    faults = "the parcel was late, the box was damaged, one cup was broken and the other one was missing"

    assert sentiment_of(faults).mood is Mood.UNHAPPY
    assert sentiment_of(faults.upper()).mood is Mood.ANGRY


@given(st.text(max_size=300))
def test_any_text_has_a_mood(text):
    assert sentiment_of(text).mood in Mood


@pytest.mark.parametrize(
    "text",
    [
        "you will hear from my lawyer",
        "I’ll sue you",
        "see you in court",
        "I am going to the police",
        "then I do a chargeback",
        "I will report you to consumer protection",
        "i'll burn your shop down",
        "this means legal action",
        "i'm contacting consumer affairs about you",
    ],
)
def test_a_threat_is_one_however_calmly_it_is_said(text):
    assert is_threat(text)


@pytest.mark.parametrize(
    "text",
    [
        "is there a court nearby, to meet?",
        "which press do you sell for coffee",
        "french press",
        "i'm buying a present for my lawyer",
        "what is a chargeback?",
        "what are my consumer rights?",
        "i want to sue my boss",
        "where can i find you and when are you open?",
        "good, are you dti registered?",
        "i'm going to burn through these beans in a week",
        "i'm going to the police station, can you deliver there?",
        "can i report a problem",
        "do you sell gifts for a lawyer friend of mine",
        "i could kill for a coffee",
        "where is the police station, is it near your store?",
    ],
)
def test_what_only_sounds_like_a_threat_is_none(text):
    assert not is_threat(text)
