// From the types of tensors to those of kernels.
#pragma once

#include "engine/bfloat16.h"
#include "engine/error.h"
#include "engine/tensor.h"

namespace cdt {

template <class T>
T* elements(const Tensor& t) {
  return reinterpret_cast<T*>(t.data);
}

/// body(float{}) or body(BFloat16{}).
template <class Body>
void with_type(Dtype dtype, const Body& body) {
  CDT_CHECK(dtype != Dtype::kInt32, "no kernel of this name takes indices");
  if (dtype == Dtype::kBFloat16) {
    body(BFloat16{});
  } else {
    body(float{});
  }
}

}  // namespace cdt
