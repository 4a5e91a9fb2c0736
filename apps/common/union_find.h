// Disjoint sets of the numbers 0 ... n-1 (union by the smaller number, with path halving).
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace cdt {

class UnionFind {
 public:
  explicit UnionFind(std::size_t n) : parent_(n) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  /// The smallest number of the set that holds `i`.
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void unite(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    parent_[a < b ? b : a] = a < b ? a : b;
  }
  /// The number of its set for each element; sets are numbered from 0 by their smallest element.
  std::vector<std::int32_t> numbers() {
    std::vector<std::int32_t> out(parent_.size());
    std::int32_t next = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t first = root(i);
      out[i] = first == i ? next++ : out[first];
    }
    return out;
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace cdt
