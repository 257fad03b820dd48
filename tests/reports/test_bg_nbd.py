"""BG/NBD: its formulas against the model's own definition, integrated numerically, and its fit against known truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, chi2, gamma

from bot.reports.bg_nbd import MIN_CUSTOMERS, BgNbd, fit_bg_nbd, log_likelihood
from bot.reports.maximum_likelihood import CannotFit
from bot.reports.purchase_histories import PurchaseHistories
from tests.reports.simulated import simulate

# What Fader, Hardie and Lee publish for the CDNOW sample.
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
OTHERS = [BgNbd(1.5, 10.0, 1.4, 4.0), BgNbd(0.8, 6.0, 2.5, 1.2)]
# Repeat purchases, the last of them, the end: none, one long ago, one just now, many.
CUSTOMERS = [(0, 0.0, 30.0), (1, 2.0, 38.86), (1, 38.0, 38.86), (2, 30.43, 38.86), (12, 25.0, 36.0)]


def over_all_customers(model: BgNbd, value) -> float:
    """The mean of value(rate, stop) over all customers that there may be, by Gauss's rule with two million of them."""
    nodes, weights = np.polynomial.legendre.leggauss(1_500)
    # Over the share of customers below a rate, and below a stopping probability: without a pole at 0.
    shares = (nodes + 1) / 2
    rates = gamma.ppf(shares, model.r, scale=1 / model.alpha)
    stops = beta.ppf(shares, model.a, model.b)
    return float(weights @ value(rates[:, None], stops) @ weights / 4)


def likelihood_by_definition(x: int, t_x: float, end: float):
    """Of one customer: x purchases, the last at t_x; then either still active and silent until the end, or gone."""

    def of(rate: float, stop: float) -> float:
        silent = (1 - stop) ** x * rate**x * np.exp(-rate * end)
        gone = stop * (1 - stop) ** (x - 1) * rate**x * np.exp(-rate * t_x) if x else 0
        return silent + gone

    return of


def arrays(*customer: float) -> list[np.ndarray]:
    return [np.array([float(number)]) for number in customer]


@pytest.mark.parametrize("customer", CUSTOMERS, ids=str)
@pytest.mark.parametrize("model", [PUBLISHED, OTHERS[0]], ids=["published", "another"])
def test_the_likelihood_is_that_of_the_models_definition(model, customer):
    value, _ = log_likelihood((model.r, model.alpha, model.a, model.b), *arrays(*customer))

    assert np.exp(value) == pytest.approx(over_all_customers(model, likelihood_by_definition(*customer)), rel=1e-4)


@pytest.mark.parametrize("model", [PUBLISHED, *OTHERS], ids=["published", "another", "a third"])
def test_the_gradient_is_the_slope_of_the_likelihood(model):
    x, t_x, end = (np.array(column) for column in zip(*CUSTOMERS, strict=True))
    at = np.array([model.r, model.alpha, model.a, model.b])
    _, gradient = log_likelihood(at, x, t_x, end)

    for number, slope in enumerate(gradient):
        step = np.zeros(4)
        step[number] = 1e-5 * at[number]
        up, down = (log_likelihood(at + sign * step, x, t_x, end)[0] for sign in (1, -1))
        assert slope == pytest.approx((up - down) / (2 * step[number]), rel=1e-6)


def test_the_papers_example_customer_is_expected_to_buy_1_226_times():
    # Two repeat purchases, the last in week 30.43, seen until week 38.86: how many in the coming 39 weeks?
    assert PUBLISHED.expected_more(2, 30.43, 38.86, 39) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("model", [PUBLISHED, *OTHERS], ids=["published", "another", "a third"])
@pytest.mark.parametrize("weeks", [1, 39, 520])
def test_a_new_customers_purchases_are_those_of_the_models_definition(model, weeks):
    # Over rates in closed form: a customer with stopping probability p buys (1 - e^(-rate p t)) / p times.
    def purchases(share: float) -> float:
        stop = beta.ppf(share, model.a, model.b)
        return -np.expm1(-model.r * np.log1p(stop * weeks / model.alpha)) / stop

    assert model.expected_purchases(weeks) == pytest.approx(quad(purchases, 1e-12, 1)[0], rel=1e-6)


@pytest.mark.parametrize("customer", CUSTOMERS[1:], ids=str)
def test_a_known_customers_prospects_are_those_of_the_models_definition(customer):
    x, _, end = customer
    either = likelihood_by_definition(*customer)

    def silent(rate: float, stop: float) -> float:
        return (1 - stop) ** x * rate**x * np.exp(-rate * end)

    evidence = over_all_customers(PUBLISHED, either)
    active = over_all_customers(PUBLISHED, silent) / evidence
    more = over_all_customers(PUBLISHED, lambda rate, stop: silent(rate, stop) * -np.expm1(-rate * stop * 39) / stop)

    assert PUBLISHED.probability_active(*customer) == pytest.approx(active, rel=1e-4)
    assert PUBLISHED.expected_more(*customer, 39) == pytest.approx(more / evidence, rel=1e-4)


def test_a_new_customer_is_a_known_one_without_a_history():
    assert PUBLISHED.expected_more(0, 0, 0, [10, 39]) == pytest.approx(PUBLISHED.expected_purchases([10, 39]))


def test_whoever_bought_once_is_active_for_sure_and_silence_makes_a_regular_doubtful():
    assert PUBLISHED.probability_active(0, 0, 38) == 1
    assert PUBLISHED.probability_active([10] * 4, [38, 30, 20, 5], [38] * 4) == pytest.approx(
        sorted(PUBLISHED.probability_active([10] * 4, [38, 30, 20, 5], [38] * 4), reverse=True)
    )
    assert PUBLISHED.probability_active(10, 5, 38) < 0.01 < 0.9 < PUBLISHED.probability_active(10, 38, 38)


def test_a_thousand_purchases_are_as_well_a_number_as_two():
    found = PUBLISHED.expected_more([1_000, 100_000], [38, 38], [38, 38], 39)

    assert np.all(np.isfinite(found)) and found[1] > found[0] > 500


@pytest.mark.parametrize("a", [1.0, 1 + 1e-9, 1 - 3e-6])
def test_expected_purchases_go_smoothly_through_a_of_one(a):
    below, here, above = (
        BgNbd(0.5, 5, near, 2).expected_more([0, 3], [0, 20], [30, 30], 26) for near in (0.999, a, 1.001)
    )

    assert here == pytest.approx(below + (above - below) * (a - 0.999) / 0.002, rel=1e-6)


def test_expected_purchases_step_over_the_pole_at_a_plus_b_of_one():
    around = [BgNbd(0.5, 5, 0.25, b).expected_purchases(26) for b in (0.749, 0.75, 0.751)]

    assert around[1] == pytest.approx((around[0] + around[2]) / 2, rel=1e-6)


def test_the_fit_finds_the_parameters_that_the_data_were_made_from():
    truth = BgNbd(0.8, 6.0, 0.9, 3.0)
    data = simulate(customers=6_000, purchases=(truth.r, truth.alpha, truth.a, truth.b))

    model = fit_bg_nbd(data)

    # Twice the difference is chi-squared: further away than this is one sample in a thousand.
    at_truth, _ = log_likelihood(
        (truth.r, truth.alpha, truth.a, truth.b), data.repeats, data.last_weeks, data.end_weeks
    )
    assert 0 <= 2 * (model.log_likelihood - at_truth) < chi2.ppf(0.999, 4)
    assert (model.r, model.alpha) == pytest.approx((truth.r, truth.alpha), rel=0.15)
    assert model.a / (model.a + model.b) == pytest.approx(0.9 / 3.9, rel=0.1)
    assert model.expected_purchases(52) == pytest.approx(truth.expected_purchases(52), rel=0.05)
    assert not model.no_departures


def test_no_other_parameters_make_the_data_likelier_than_the_fit():
    histories = simulate(customers=800, seed=3)
    model = fit_bg_nbd(histories)
    data = histories.repeats, histories.last_weeks, histories.end_weeks
    best = np.array([model.r, model.alpha, model.a, model.b])

    assert log_likelihood(best, *data)[0] == pytest.approx(model.log_likelihood)
    for steps in itertools.product((0.9, 1.0, 1.1), repeat=4):
        assert log_likelihood(best * steps, *data)[0] <= model.log_likelihood + 1e-9


def test_days_in_place_of_weeks_give_the_same_customers():
    weeks = simulate(customers=1_000)
    days = PurchaseHistories(
        weeks.customers, weeks.repeats, weeks.last_weeks * 7, weeks.end_weeks * 7, weeks.mean_repeat
    )
    by_week, by_day = fit_bg_nbd(weeks), fit_bg_nbd(days)

    assert by_day.alpha == pytest.approx(by_week.alpha * 7, rel=1e-3)
    assert (by_day.r, by_day.a, by_day.b) == pytest.approx((by_week.r, by_week.a, by_week.b), rel=1e-3)


def test_customers_of_whom_nobody_leaves_are_said_to_be_such():
    loyal = simulate(customers=2_000, purchases=(2.0, 10.0, 0.001, 50.0))

    model = fit_bg_nbd(loyal)

    assert model.no_departures
    assert np.mean(model.probability_active(loyal.repeats, loyal.last_weeks, loyal.end_weeks)) > 0.99
    assert model.expected_purchases(52) == pytest.approx(2 / 10 * 52, rel=0.05)


def test_too_few_customers_are_refused_with_their_number():
    few = simulate(customers=MIN_CUSTOMERS - 1)

    with pytest.raises(CannotFit, match=f"{MIN_CUSTOMERS - 1} with"):
        fit_bg_nbd(few)


def test_customers_who_hardly_ever_come_back_are_refused_with_their_number():
    rare = simulate(customers=500, purchases=(0.5, 2_000.0, 1.0, 2.0))

    with pytest.raises(CannotFit, match=f"500 with {int(rare.repeat_buyers.sum())} repeat buyers"):
        fit_bg_nbd(rare)
