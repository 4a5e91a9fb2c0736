// Compares tensors with what PyTorch computed, in order of computation, so that a failure names the
// first layer that differs.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cdt::test {

// Tolerances of float32 on ||got - want|| / ||want||. A float32 result has a rounding error of
// about epsilon (1.2e-7) times the square root of the number of chained roundings along the longest
// path. The models here have a few hundred ops on it, so 1e-5 is about five times the error to
// expect of a forward pass. Backward doubles the path and divides by standard deviations and
// softmax sums on the way: one more order of magnitude.
inline constexpr double kForwardTolerance = 1e-5;
inline constexpr double kGradientTolerance = 1e-4;

/// The tolerances of the precision under test (tests/support/precision.h).
double forward_tolerance();
double gradient_tolerance();

class Comparison {
 public:
  explicit Comparison(double tolerance) : tolerance_(tolerance) {}

  /// Relative error of the norm, in float64. `scale` replaces ||want|| if it is larger, for a
  /// tensor that vanishes in exact arithmetic and holds only rounding noise. A tensor of another
  /// size fails, and so does NaN anywhere.
  void check(const std::string& name, const std::vector<float>& got, const std::vector<float>& want,
             double scale = 0.0);
  /// Compares with |got - want| <= bound for every element.
  void check_within(const std::string& name, const std::vector<float>& got,
                    const std::vector<float>& want, double bound);

  /// Success, or the first failure by name and their number. Failure if nothing was compared.
  testing::AssertionResult result() const;
  /// The largest relative error seen by check(), and where.
  double worst() const { return worst_; }
  const std::string& worst_name() const { return worst_name_; }

 private:
  bool sizes_agree(const std::string& name, const std::vector<float>& got,
                   const std::vector<float>& want);
  void miss(const std::string& name, const std::string& what);

  double tolerance_;
  double worst_ = 0.0;
  std::string worst_name_;
  int compared_ = 0;
  int missed_ = 0;
  std::string first_;
};

/// L2 norm in float64.
double norm(const std::vector<float>& values);

}  // namespace cdt::test
