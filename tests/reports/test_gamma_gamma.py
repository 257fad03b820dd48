"""Gamma-Gamma: its formulas against the model's own definition, integrated numerically; its fit against known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, gamma

from bot.reports.gamma_gamma import MIN_BUYERS, GammaGamma, fit_gamma_gamma, log_likelihood
from bot.reports.maximum_likelihood import CannotFit
from bot.reports.purchase_histories import PurchaseHistories
from tests.reports.simulated import simulate

# What is published for the 946 repeat buyers of the CDNOW sample.
PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)
BUYERS = [(1, 8.0), (1, 120.0), (2, 22.35), (7, 35.0)]


def histories(repeats: list[int], means: list[float]) -> PurchaseHistories:
    names = np.array([str(number) for number in range(len(repeats))])
    zeros = np.zeros(len(repeats))
    return PurchaseHistories(names, np.array(repeats, dtype=float), zeros, zeros, np.array(means, dtype=float))


def over_all_customers(model: GammaGamma, value) -> float:
    """The mean of value(rate) over all customers; a customer's amounts are gamma distributed, with p and that rate."""
    rates = gamma(model.q, scale=1 / model.v)
    return quad(lambda share: value(rates.ppf(share)), 1e-12, 1 - 1e-12, epsabs=0, epsrel=1e-8, limit=200)[0]


def density_by_definition(model: GammaGamma, x: int, mean: float):
    """The mean of x amounts with shape p and a rate is gamma distributed with shape p x and rate times x."""
    return lambda rate: gamma.pdf(mean, model.p * x, scale=1 / (rate * x))


@pytest.mark.parametrize("buyer", BUYERS, ids=str)
def test_the_likelihood_is_that_of_the_models_definition(buyer):
    value, _ = log_likelihood((PUBLISHED.p, PUBLISHED.q, PUBLISHED.v), *(np.array([float(number)]) for number in buyer))

    assert np.exp(value) == pytest.approx(
        over_all_customers(PUBLISHED, density_by_definition(PUBLISHED, *buyer)), rel=1e-5
    )


@pytest.mark.parametrize("buyer", BUYERS, ids=str)
def test_what_a_buyer_spends_is_that_of_the_models_definition(buyer):
    density = density_by_definition(PUBLISHED, *buyer)
    spend = over_all_customers(PUBLISHED, lambda rate: density(rate) * PUBLISHED.p / rate)

    assert PUBLISHED.expected_spend(*buyer) == pytest.approx(spend / over_all_customers(PUBLISHED, density), rel=1e-5)


def test_the_gradient_is_the_slope_of_the_likelihood():
    x, mean = (np.array(column, dtype=float) for column in zip(*BUYERS, strict=True))
    at = np.array([PUBLISHED.p, PUBLISHED.q, PUBLISHED.v])
    _, gradient = log_likelihood(at, x, mean)

    for number, slope in enumerate(gradient):
        step = np.zeros(3)
        step[number] = 1e-5 * at[number]
        up, down = (log_likelihood(at + sign * step, x, mean)[0] for sign in (1, -1))
        assert slope == pytest.approx((up - down) / (2 * step[number]), rel=1e-6)


def test_the_published_parameters_give_the_published_mean():
    assert PUBLISHED.mean_spend() == pytest.approx(35.2, abs=0.05)


def test_without_a_repeat_purchase_the_mean_of_all_is_the_best_guess_and_many_purchases_speak_for_themselves():
    found = PUBLISHED.expected_spend([0, 1, 10_000], [0.0, 100.0, 100.0])

    assert found[0] == pytest.approx(PUBLISHED.mean_spend())
    assert found[0] < found[1] < found[2] == pytest.approx(100, rel=1e-3)


def test_the_fit_finds_the_parameters_that_the_data_were_made_from():
    truth = GammaGamma(6.0, 4.0, 15.0)
    data = simulate(customers=6_000, amounts=(truth.p, truth.q, truth.v))
    buyers = data.repeat_buyers

    model = fit_gamma_gamma(data)

    # Twice the difference is chi-squared: further away than this is one sample in a thousand.
    at_truth, _ = log_likelihood((truth.p, truth.q, truth.v), data.repeats[buyers], data.mean_repeat[buyers])
    assert 0 <= 2 * (model.log_likelihood - at_truth) < chi2.ppf(0.999, 3)
    assert (model.q, model.mean_spend()) == pytest.approx((truth.q, truth.mean_spend()), rel=0.1)


def test_cents_in_place_of_dollars_give_the_same_customers():
    dollars = simulate(customers=1_000)
    cents = histories(dollars.repeats.tolist(), (dollars.mean_repeat * 100).tolist())
    buyers = int(dollars.repeat_buyers.sum())
    by_dollar, by_cent = fit_gamma_gamma(dollars), fit_gamma_gamma(cents)

    assert by_cent.mean_spend() == pytest.approx(by_dollar.mean_spend() * 100, rel=1e-6)
    assert by_cent.log_likelihood == pytest.approx(by_dollar.log_likelihood - buyers * np.log(100))


def test_first_purchases_and_amounts_of_nothing_are_left_out():
    some = simulate(customers=1_000)
    more = histories([*some.repeats, 0, 0, 3], [*some.mean_repeat, 0.0, 99.0, 0.0])

    assert fit_gamma_gamma(more) == fit_gamma_gamma(some)


def test_too_few_repeat_buyers_are_refused_with_their_number():
    with pytest.raises(CannotFit, match=f"repeat buyers to say how much they spend: {MIN_BUYERS - 1}"):
        fit_gamma_gamma(histories([1] * (MIN_BUYERS - 1) + [0] * 500, [5.0] * (MIN_BUYERS - 1) + [0.0] * 500))


@pytest.mark.parametrize("q", [1.0, 0.8])
def test_a_mean_without_a_bound_is_not_given(q):
    model = GammaGamma(2.0, q, 10.0)

    with pytest.raises(CannotFit, match="q is"):
        model.mean_spend()
    with pytest.raises(CannotFit, match="q is"):
        model.expected_spend([1], [10.0])


def test_amounts_with_a_few_that_dwarf_the_rest_have_no_mean():
    model = fit_gamma_gamma(simulate(customers=3_000, amounts=(6.0, 0.7, 1.0)))

    assert model.q == pytest.approx(0.7, rel=0.1)
    with pytest.raises(CannotFit, match="q is"):
        model.mean_spend()


def test_customers_who_all_spend_the_same_are_expected_to_spend_that():
    model = fit_gamma_gamma(histories([3] * 100, [25.0] * 100))

    assert model.mean_spend() == pytest.approx(25, rel=1e-3)
    assert model.expected_spend([0, 3], [0.0, 25.0]) == pytest.approx(25, rel=1e-3)
