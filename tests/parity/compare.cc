#include "tests/parity/compare.h"

#include <cmath>
#include <sstream>

#include "tests/support/precision.h"

namespace cdt::test {
namespace {

// "element 7 is 0.1, expected 0.2": the element with the largest difference.
std::string furthest(const std::vector<float>& got, const std::vector<float>& want) {
  std::size_t at = 0;
  double furthest = -1.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double off = std::abs(static_cast<double>(got[i]) - want[i]);
    if (!(off <= furthest)) {
      furthest = off;
      at = i;
    }
    if (std::isnan(off)) break;
  }
  std::ostringstream text;
  text << "element " << at << " is " << got[at] << ", expected " << want[at];
  return text.str();
}

}  // namespace

double forward_tolerance() { return tolerance(kForwardTolerance, kModelValue); }
double gradient_tolerance() { return tolerance(kGradientTolerance, kModelGradient); }

double norm(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float v : values) sum += static_cast<double>(v) * v;
  return std::sqrt(sum);
}

void Comparison::check(const std::string& name, const std::vector<float>& got,
                       const std::vector<float>& want, double scale) {
  if (!sizes_agree(name, got, want)) return;
  double off = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double d = static_cast<double>(got[i]) - want[i];
    off += d * d;
  }
  off = std::sqrt(off);
  const double against = std::max(norm(want), scale);
  const double error = off == 0.0 ? 0.0 : off / against;
  if (!(error <= worst_)) {
    worst_ = error;
    worst_name_ = name;
  }
  if (error <= tolerance_) return;
  std::ostringstream text;
  text << "relative error " << error << " > " << tolerance_ << ", " << furthest(got, want);
  miss(name, text.str());
}

void Comparison::check_within(const std::string& name, const std::vector<float>& got,
                              const std::vector<float>& want, double bound) {
  if (!sizes_agree(name, got, want)) return;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::abs(static_cast<double>(got[i]) - want[i]) <= bound) continue;
    std::ostringstream text;
    text << "off by more than " << bound << ", " << furthest(got, want);
    return miss(name, text.str());
  }
}

bool Comparison::sizes_agree(const std::string& name, const std::vector<float>& got,
                             const std::vector<float>& want) {
  ++compared_;
  if (got.size() == want.size() && !want.empty()) return true;
  miss(name, std::to_string(got.size()) + " elements, expected " + std::to_string(want.size()));
  return false;
}

void Comparison::miss(const std::string& name, const std::string& what) {
  if (missed_++ == 0) first_ = name + ": " + what;
}

testing::AssertionResult Comparison::result() const {
  if (compared_ == 0) return testing::AssertionFailure() << "nothing was compared";
  if (missed_ == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "first difference: " << first_ << " (" << missed_ << " of "
                                     << compared_ << " tensors differ)";
}

}  // namespace cdt::test
