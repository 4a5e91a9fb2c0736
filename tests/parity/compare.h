// Compares tensors with what PyTorch computed, in order of computation, so that a miss names the
// first layer that differs.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cdt::test {

// Tolerances of float32 on ||got - want|| / ||want||. A float32 result carries rounding of about
// epsilon (1.2e-7) times the square root of the number of chained roundings along the longest path;
// the models here have a few hundred ops on it, so 1e-5 is some five times what can be expected of
// a forward pass. Backward doubles the path and divides by standard deviations and softmax sums on
// the way: one more order.
inline constexpr double kForwardTolerance = 1e-5;
inline constexpr double kGradientTolerance = 1e-4;

/// Those of the precision under test (tests/support/precision.h).
double forward_tolerance();
double gradient_tolerance();

class Comparison {
 public:
  explicit Comparison(double tolerance) : tolerance_(tolerance) {}

  /// Relative error of the norm, in float64. `scale` replaces ||want|| where it is larger: for a
  /// tensor that vanishes in exact arithmetic and holds rounding noise only. A tensor of another
  /// size, and NaN anywhere, is a miss.
  void check(const std::string& name, const std::vector<float>& got, const std::vector<float>& want,
             double scale = 0.0);
  /// The same with |got - want| <= bound for every element.
  void check_within(const std::string& name, const std::vector<float>& got,
                    const std::vector<float>& want, double bound);

  /// Success, or the first miss by name and how many there are. Failure if nothing was compared.
  testing::AssertionResult result() const;
  /// Largest relative error seen by check(), and where.
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
