"""Prints the values in tests/unit/null_tests_test.cc and chance_test.cc: python3 record_statistics.py

Needs numpy and scipy.
"""

import numpy as np
from scipy import stats


def two_sided(distribution, value):
    """Twice the smaller tail of a distribution over 0, 1, .., as a share of 1."""
    return min(1.0, 2 * min(distribution[:value + 1].sum(), distribution[value:].sum()))


def main():
    print("hypergeom(896, 20, 20), x = 0..5:", stats.hypergeom(896, 20, 20).pmf(range(6)).tolist())
    print("hypergeom(16, 11, 11), x = 6..11:",
          stats.hypergeom(16, 11, 11).pmf(range(6, 12)).tolist())
    one = stats.hypergeom(896, 20, 20).pmf(range(21))
    for count, value in ((100, 220), (100, 45), (100, 30), (7, 11)):
        total = np.array([1.0])
        for _ in range(count):
            total = np.convolve(total, one)
        print(f"sum of {count} overlaps = {value}: p", two_sided(total, value))
    x = np.array([0.1, 0.5, 0.2, 0.9, 0.4, 0.4])
    y = np.array([0.3, -0.6, 0.2, 0.7, -0.1, 0.5])
    print("pearson", stats.pearsonr(x, np.abs(y)).statistic,
          "spearman", stats.spearmanr(x, np.abs(y)).statistic)


if __name__ == "__main__":
    main()
