"""McNemar's exact test: are two models right equally often?"""


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """p = min(1, 2 sum_{i <= min(b, c)} C(b + c, i) / 2^(b + c)).

    b (`only_first`) rows are right by the first model alone, c (`only_second`) by the second alone.
    Rows on which both are right or both wrong say nothing about the difference. If the models are
    equally good, b is binomial with b + c trials and probability 1/2; p is two-sided. The sum is
    exact, in integers.

    McNemar 1947; Dietterich 1998 recommends it for classifiers tested on one set of rows.
    statsmodels: mcnemar(table, exact=True).
    """
    trials = only_first + only_second
    term = total = 1
    for i in range(min(only_first, only_second)):
        term = term * (trials - i) // (i + 1)
        total += term
    return min(1.0, 2 * total / 2**trials)
