// What leaves a pass is float32, whatever type its activations have.
#pragma once

#include <optional>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"

namespace cdt {

/// The values on the host; t is float32 or bfloat16.
std::vector<float> to_host(Backend& backend, const Tensor& t);

/// A tensor in float32: itself, or a copy in scratch.
class InFloat32 {
 public:
  InFloat32(Backend& backend, const Tensor& t, Arena& scratch) : tensor_(t) {
    if (t.dtype == Dtype::kFloat32) return;
    copy_.emplace(scratch, t.shape);
    tensor_ = **copy_;
    backend.cast(tensor_, t);
  }
  const Tensor& operator*() const { return tensor_; }
  const Tensor* operator->() const { return &tensor_; }

 private:
  std::optional<Scratch> copy_;
  Tensor tensor_;
};

}  // namespace cdt
