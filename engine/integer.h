// Arithmetic of counts.
#pragma once

#include <cstdint>

namespace cdt {

/// a / b rounded up; a not negative, b positive.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace cdt
