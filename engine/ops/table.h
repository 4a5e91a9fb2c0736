// The ops of the engine in one table. A test walks it and fails where a row lacks an implementation
// or a gradient check on a device it claims.
#pragma once

#include <array>

namespace cdt {

struct OpRow {
  const char* name;
  bool has_gradient;
  bool on_cpu;
  bool on_cuda;
};

inline constexpr std::array<OpRow, 12> kOps{{
    {"linear", true, true, false},
    {"layer_norm", true, true, false},
    {"dropout", true, true, false},
    {"residual", true, true, false},
    {"add_norm", true, true, false},
    {"gelu_dropout", true, true, false},
    {"feed_forward", true, true, false},
    {"attention", true, true, false},
    {"self_attention", true, true, false},
    {"attention_pool", true, true, false},
    {"concat", true, true, false},
    {"select_huber", true, true, false},
}};

}  // namespace cdt
