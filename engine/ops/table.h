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

inline constexpr std::array<OpRow, 13> kOps{{
    {"linear", true, true, true},
    {"layer_norm", true, true, true},
    {"dropout", true, true, true},
    {"residual", true, true, true},
    {"add_norm", true, true, true},
    {"gelu_dropout", true, true, true},
    {"feed_forward", true, true, true},
    {"attention", true, true, true},
    {"self_attention", true, true, true},
    {"attention_pool", true, true, true},
    {"feed_forward_pool", true, true, true},
    {"concat", true, true, true},
    {"select_huber", true, true, true},
}};

}  // namespace cdt
