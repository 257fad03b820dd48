"""The page behind the links of a question in a mail: opening it says nothing, its button does."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web

from bot.core.feedback import MAX_FEEDBACK_CHARACTERS, Feedback, FeedbackId, Invitation, is_score, question_of
from bot.errors import FeedbackRefused
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import html_page
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, ExpiredToken, read_feedback_token
from bot.services.feedback_answers import Answered, open_question, record_answer

_CUT_OFF = "This link is not whole: perhaps it was cut off on its way. Open it from the mail once more."
_OVER = "This question is not open any more. You can always tell us how it was: in the chat, or by mail."
# The form has two.
MAX_FIELDS = 20

routes = web.RouteTableDef()


@routes.get("/feedback/{token}")
async def feedback_page(request: web.Request) -> web.Response:
    """The question, with the score of the link chosen. It records nothing: programs that check mails open each link."""
    try:
        feedback_id = _read(request)
        with database_answers():
            async with request.app[settings.DATABASE].reading() as work:
                feedback = await open_question(work, feedback_id)
    except ExpiredToken:
        return _notice(request, 410, "This question is over", _OVER)
    except BadToken:
        return _notice(request, 404, "This link does not work", _CUT_OFF)
    except Unavailable:
        return _notice(request, 503, "One moment, please", "Please load this page again in a minute.")
    if feedback is None:
        return _notice(request, 410, "This question is over", _OVER)
    if not feedback.may_change(request.app[settings.CLOCK].now()):
        return _notice(request, 200, "We have your answer", "Thank you! You have told us already, and we have read it.")
    chosen = _score(request.query.get("score"))
    return _form(request, feedback, chosen if chosen is not None else feedback.score, feedback.text or "")


@routes.post("/feedback/{token}")
async def answer_question(request: web.Request) -> web.Response:
    """Keep the answer; whoever holds the link is the one who was asked. Safe to repeat."""
    try:
        feedback_id = _read(request)
    except ExpiredToken:
        return _notice(request, 410, "This question is over", _OVER)
    except BadToken:
        return _notice(request, 404, "This link does not work", _CUT_OFF)
    score, text = await _posted(request)
    config, clock = request.app[settings.SETTINGS], request.app[settings.CLOCK]
    try:
        with database_answers():
            async with request.app[settings.DATABASE].transaction() as work:
                feedback = await open_question(work, feedback_id)
                if feedback is None:
                    return _notice(request, 410, "This question is over", _OVER)
                score = feedback.score if score is None else score
                if score is None or not is_score(feedback.kind, score):
                    return _form(request, feedback, None, text, status=400)
                answered = await record_answer(work, clock, config.shop, feedback_id, score=score, text=text)
    except FeedbackRefused:  # over in this very moment
        return _notice(request, 410, "This question is over", _OVER)
    except Unavailable:
        text = "We could not note this right now. Please go back and press the button again in a minute."
        return _notice(request, 503, "One moment, please", text)
    return _thanks(request, answered)


def _read(request: web.Request) -> FeedbackId:
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    secret = request.app[settings.SETTINGS].secret_key
    return FeedbackId(read_feedback_token(request.match_info["token"], secret))


async def _posted(request: web.Request) -> tuple[int | None, str]:
    """The score and the words of our form; what anything else holds is missing."""
    if request.content_type != "application/x-www-form-urlencoded":
        return None, ""
    body = (await request.read()).decode("utf-8", "replace")
    try:
        fields = dict(parse_qsl(body, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None, ""
    # Browsers count the end of a line as one letter, and send two.
    return _score(fields.get("score")), fields.get("text", "").replace("\r\n", "\n")


def _score(value: str | None) -> int | None:
    """A score as it stands in a link or a form: a number of two digits at most."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) <= 2 else None


def _form(request: web.Request, feedback: Feedback, score: int | None, text: str, *, status: int = 200) -> web.Response:
    shop = request.app[settings.SETTINGS].shop
    question = question_of(feedback, shop.name)
    return html_page(
        "feedback.html",
        status,
        has_form=True,
        shop=shop,
        question=question,
        scale=question.scale,
        chosen=score if score is not None and is_score(feedback.kind, score) else None,
        text=text[:MAX_FEEDBACK_CHARACTERS],
        at_most=MAX_FEEDBACK_CHARACTERS,
        is_missing=status != 200,
        is_answered=feedback.answered_at is not None,
    )


def _thanks(request: web.Request, answered: Answered) -> web.Response:
    shop = request.app[settings.SETTINGS].shop
    lines = [answered.reply]
    if answered.feedback.is_low and answered.feedback.text is None:
        lines.append("Go back to add a few words.")
    if answered.points:
        lines.append(f"As a thank you there are {answered.points} points more in your account.")
    if answered.invitation is Invitation.REVIEW:
        lines.append(f"Would you write a review? Tell {shop.assistant_name} in the chat: it takes a minute.")
    elif answered.invitation is Invitation.REFERRAL:
        lines.append(
            f"Do you know somebody who would like it here? Ask {shop.assistant_name} in the chat for your code."
        )
    return html_page("thanks.html", shop=shop, title="Thank you", lines=lines)


def _notice(request: web.Request, status: int, title: str, text: str) -> web.Response:
    shop = request.app[settings.SETTINGS].shop
    return html_page("thanks.html", status, shop=shop, title=title, lines=[text])
