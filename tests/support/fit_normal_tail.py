"""Computes the coefficients of normal_tail() in engine/cuda/gelu.h: python3 fit_normal_tail.py (numpy, mpmath).

Phi(-a) = 2^(-a (1 + s(a))) / 2, a in [0, 6], and 2^(n + f) = 2^n p(f), |f| <= 1/2. Both polynomials are
minimax fits by Lawson's iteration: least squares, then weights multiplied by the error, repeated. Coefficients
are rounded to float32 from the lowest on; after each one the others are refitted.
"""
import mpmath
import numpy


def lawson(x, want, weight, powers):
    """Coefficients of x^k, k in powers, that minimise max |weight (sum - want)|."""
    columns = numpy.stack([(x / abs(x).max()) ** k for k in powers], 1)
    share = numpy.ones_like(x)
    for _ in range(80):
        root = numpy.sqrt(share) * weight
        c = numpy.linalg.lstsq(columns * root[:, None], want * root, rcond=None)[0]
        error = abs(weight * (columns @ c - want))
        share *= error / error.max() + 1e-12
        share /= share.sum()
    return c / abs(x).max() ** numpy.array(powers, dtype=float)


def rounded_fit(x, want, weight, terms, known=()):
    coefficients = list(known)
    for k in range(terms):
        if k == len(coefficients):
            rest = want - sum(c * x**j for j, c in enumerate(coefficients))
            coefficients.append(float(numpy.float32(lawson(x, rest, weight, range(k, terms))[0])))
    error = abs(weight * (sum(c * x**j for j, c in enumerate(coefficients)) - want)).max()
    return coefficients, error


def nodes(low, high, count):
    return (low + high) / 2 - (high - low) / 2 * numpy.cos(numpy.pi * (numpy.arange(count) + 0.5) / count)


def show(name, coefficients, error):
    print(f"{name}, error {error:.3f}: " + " ".join(f"{c:.9g}" for c in reversed(coefficients)))


mpmath.mp.dps = 40
a = nodes(0.0, 6.0, 1500)
tail = [mpmath.erfc(mpmath.mpf(t) / mpmath.sqrt(2)) / 2 for t in a]
s = numpy.array([float(-mpmath.log(2 * q, 2) / t - 1) for q, t in zip(tail, a)])
# The larger of an absolute error of Phi in units of 2^-25 and a relative one in units of 2^-20.
change = a * numpy.log(2)
weight = numpy.maximum(numpy.array([float(q) for q in tail]) * change / 2.0**-25, change / 2.0**-20)
show("s", *rounded_fit(a, s, weight, 11))

f = nodes(-0.5, 0.5, 801)
half, error = rounded_fit(f, 2.0**f, 2.0**-f / 2.0**-24, 7, known=[1.0])
show("p / 2", [c / 2 for c in half], error)
