"""All wishes that take several steps, by name."""

from __future__ import annotations

from collections.abc import Mapping

from actions.account import Connect
from actions.call_backs import LeaveContact
from actions.delivery import ChangeShippingAddress, SetUpShippingAddress
from actions.loyalty import CheckPoints, CheckPunchCard
from actions.money import CheckInvoice, GetRefund, Invoice, TrackRefund
from actions.newsletter import NewsletterSubscription, Unsubscribe
from actions.order_changes import CancelOrder, ChangeOrder
from actions.orders import TrackOrder
from actions.people import CallbackRequest, Complaint, GiveFeedback, Review
from actions.privacy import DeleteAccount, PrivacyRequest
from actions.redeeming import RedeemPoints
from actions.returns import ReportProblem, ReturnItem
from actions.signing_in import SignIn
from actions.surveys import Survey
from actions.task import Task
from actions.treats import BirthdayTreat, GiftCard, ReferFriend
from actions.undoing_rewards import UndoReward

TASKS: Mapping[str, Task] = {
    task.wish: task
    for task in (
        *(TrackOrder(), CancelOrder(), ChangeOrder(), ReturnItem(), ReportProblem()),
        *(GetRefund(), TrackRefund(), CheckInvoice(), Invoice()),
        *(ChangeShippingAddress(), SetUpShippingAddress()),
        *(Complaint(), Review(), GiveFeedback(), CallbackRequest(), Survey()),
        *(CheckPoints(), RedeemPoints(), CheckPunchCard(), BirthdayTreat(), ReferFriend(), GiftCard()),
        *(NewsletterSubscription(), Unsubscribe(), PrivacyRequest(), DeleteAccount()),
        *(SignIn(), UndoReward(), Connect(), LeaveContact()),
    )
}
