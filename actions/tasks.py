"""All wishes that take several steps, by name."""

from __future__ import annotations

from collections.abc import Mapping

from actions.delivery import ChangeShippingAddress, SetUpShippingAddress
from actions.money import CheckInvoice, GetRefund, Invoice, TrackRefund
from actions.order_changes import CancelOrder, ChangeOrder
from actions.orders import TrackOrder
from actions.people import CallbackRequest, Complaint, GiveFeedback, Review
from actions.returns import ReportProblem, ReturnItem
from actions.task import Task

TASKS: Mapping[str, Task] = {
    task.wish: task
    for task in (
        *(TrackOrder(), CancelOrder(), ChangeOrder(), ReturnItem(), ReportProblem()),
        *(GetRefund(), TrackRefund(), CheckInvoice(), Invoice()),
        *(ChangeShippingAddress(), SetUpShippingAddress()),
        *(Complaint(), Review(), GiveFeedback(), CallbackRequest()),
    )
}
