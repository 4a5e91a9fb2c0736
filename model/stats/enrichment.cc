#include "model/stats/enrichment.h"

#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::uint32_t kShiftStream = 0x5F1F;
constexpr std::uint32_t kWindowStream = 0x0717;

/// One window's contribution to the table.
struct Counts {
  double covered_top = 0, top = 0, covered = 0, eligible = 0;

  void add(const Counts& c) {
    covered_top += c.covered_top;
    top += c.top;
    covered += c.covered;
    eligible += c.eligible;
  }
  double fold() const { return covered_top / top / (covered / eligible); }
};

/// A set of bins, 64 to a word.
using Bits = std::vector<std::uint64_t>;

Bits bits_of(std::size_t bins, const std::function<bool(std::size_t)>& is_set) {
  Bits bits((bins + 63) / 64, 0);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    if (is_set(bin)) bits[bin / 64] |= std::uint64_t{1} << (bin % 64);
  }
  return bits;
}

std::int64_t shared_bits(const Bits& a, const Bits& b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += std::popcount(a[i] & b[i]);
  return count;
}

/// A window with ineligible bins removed from its cover and its tops.
struct PreparedWindow {
  Bits covered;
  std::vector<Bits> tops;
  Counts counts;
};

PreparedWindow prepared(const EnrichmentWindow& from, std::size_t bins) {
  CDT_CHECK(from.eligible.size() == bins && from.covered.size() == bins,
            "windows of an enrichment have equally many bins");
  const auto covered = [&](std::size_t bin) { return from.covered[bin] && from.eligible[bin]; };
  PreparedWindow w;
  w.covered = bits_of(bins, covered);
  const auto pairs = static_cast<double>(from.tops.size());
  for (std::size_t bin = 0; bin < bins; ++bin) {
    w.counts.eligible += from.eligible[bin] ? pairs : 0.0;
    w.counts.covered += covered(bin) ? pairs : 0.0;
  }
  for (const std::vector<std::int64_t>& top : from.tops) {
    std::vector<bool> is_top(bins, false);
    for (const std::int64_t bin : top) {
      const auto b = static_cast<std::size_t>(bin);
      CDT_CHECK(b < bins, "a top bin within the window");
      is_top[b] = from.eligible[b];
    }
    w.tops.push_back(bits_of(bins, [&](std::size_t bin) { return is_top[bin]; }));
    w.counts.covered_top += static_cast<double>(shared_bits(w.tops.back(), w.covered));
    w.counts.top += static_cast<double>(shared_bits(w.tops.back(), w.tops.back()));
  }
  return w;
}

/// Counts the covered top bins of a window for each circular shift of its tops.
std::vector<std::int64_t> hits_by_shift(const PreparedWindow& w, std::size_t bins) {
  const auto is_set = [](const Bits& bits, std::size_t bin) {
    return (bits[bin / 64] >> (bin % 64) & 1U) != 0;
  };
  std::vector<std::int64_t> hits(bins, 0);
  for (const Bits& top : w.tops) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      if (!is_set(top, bin)) continue;
      for (std::size_t shift = 0; shift < bins; ++shift) {
        hits[shift] += is_set(w.covered, (bin + shift) % bins) ? 1 : 0;
      }
    }
  }
  return hits;
}

/// hits(): covered top bins in all windows after one random permutation.
PermutationNull permute(const Counts& counts, std::int64_t permutations,
                        const std::function<std::int64_t()>& hits) {
  const auto observed = static_cast<std::int64_t>(counts.covered_top);
  std::int64_t as_few = 0;
  std::int64_t as_many = 0;
  double sum = 0.0;
  for (std::int64_t i = 0; i < permutations; ++i) {
    const std::int64_t permuted = hits();
    as_few += permuted <= observed ? 1 : 0;
    as_many += permuted >= observed ? 1 : 0;
    sum += static_cast<double>(permuted);
  }
  Counts mean = counts;
  mean.covered_top = sum / static_cast<double>(permutations);
  return {mean.fold(), resampled_p(as_few, as_many, permutations), as_many <= as_few};
}

/// Shifts by 1 to L - 1, since shift 0 is the observed value.
PermutationNull shift_null(const std::vector<PreparedWindow>& windows, const Counts& counts,
                           std::size_t bins, const EnrichmentOptions& options) {
  if (bins < 2) return {};
  std::vector<std::vector<std::int64_t>> hits;
  for (const PreparedWindow& w : windows) hits.push_back(hits_by_shift(w, bins));
  RandomStream random(options.seed, kShiftStream);
  return permute(counts, options.permutations, [&] {
    std::int64_t sum = 0;
    for (const std::vector<std::int64_t>& by_shift : hits) {
      sum += by_shift[1 + random.below(bins - 1)];
    }
    return sum;
  });
}

/// Places the tops of each window on another by a random permutation of the windows.
PermutationNull other_null(const std::vector<PreparedWindow>& windows, const Counts& counts,
                           const EnrichmentOptions& options) {
  const std::size_t n = windows.size();
  if (n < 2) return {};
  std::vector<std::int32_t> hits(n * n, 0);  // tops of the row's window on the column's cover
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      for (const Bits& top : windows[row].tops) {
        hits[row * n + column] +=
            static_cast<std::int32_t>(shared_bits(top, windows[column].covered));
      }
    }
  }
  RandomStream random(options.seed, kWindowStream);
  std::vector<std::size_t> to(n);
  std::iota(to.begin(), to.end(), std::size_t{0});
  return permute(counts, options.permutations, [&] {
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < n; ++row) {
      std::swap(to[row], to[row + random.below(n - row)]);
      sum += hits[row * n + to[row]];
    }
    return sum;
  });
}

CountTable table_of(const Counts& counts) {
  const auto count = [](double value) { return static_cast<std::int64_t>(value); };
  CountTable t;
  t.a = count(counts.covered_top);
  t.b = count(counts.top - counts.covered_top);
  t.c = count(counts.covered - counts.covered_top);
  t.d = count(counts.eligible) - t.a - t.b - t.c;
  return t;
}

ResampledP weakest_of(const Enrichment& e) {
  constexpr ResampledP kContradiction{1.0, kNaN, false};
  const bool exact_is_more = e.fisher.p_greater <= e.fisher.p_less;
  ResampledP weakest{e.fisher.p_doubled, kNaN, false};
  if (exact_is_more != e.more()) weakest = kContradiction;
  for (const PermutationNull* null : {&e.shift, &e.other}) {
    if (std::isnan(null->test.p)) continue;
    const ResampledP& p = null->more == e.more() ? null->test : kContradiction;
    if (p.p > weakest.p) weakest = p;
  }
  return weakest;
}

}  // namespace

Enrichment enrichment(std::span<const EnrichmentWindow> windows, const EnrichmentOptions& options) {
  CDT_CHECK(!windows.empty() && !windows.front().eligible.empty(), "an enrichment needs windows");
  const std::size_t bins = windows.front().eligible.size();
  std::vector<PreparedWindow> all;
  Counts counts;
  std::vector<Counts> by_window;
  for (const EnrichmentWindow& w : windows) {
    all.push_back(prepared(w, bins));
    by_window.push_back(all.back().counts);
    counts.add(by_window.back());
  }
  Enrichment out;
  out.table = table_of(counts);
  out.fisher = fisher_exact(out.table);
  out.fold = counts.fold();
  if (counts.covered == 0 || counts.covered == counts.eligible || counts.top == 0) {
    out.fold = kNaN;
    out.fold_interval = {kNaN, kNaN};
    return out;
  }
  out.fold_interval = bootstrap_clusters(
      all.size(), options.bootstrap,
      [&](const std::vector<std::size_t>& drawn) { return sum_of_drawn(by_window, drawn).fold(); });
  out.shift = shift_null(all, counts, bins, options);
  out.other = other_null(all, counts, options);
  out.weakest = weakest_of(out);
  return out;
}

}  // namespace cdt
