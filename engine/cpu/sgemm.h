// One sequential matrix product through oneDNN; call it inside parallel_for only.
#pragma once

#include <dnnl.h>

#include <string>

#include "engine/error.h"

namespace cdt {

/// C = alpha * op(A) op(B) + beta * C, row-major, op(A) (m, k), op(B) (k, n).
inline void sgemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k,
                  float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                  float beta, float* c, std::int64_t ldc) {
  const dnnl_status_t status = dnnl_sgemm(trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', m, n, k, alpha,
                                          a, lda, b, ldb, beta, c, ldc);
  if (status != dnnl_success) {
    throw Error("cpu: oneDNN: sgemm failed with status " + std::to_string(status));
  }
}

}  // namespace cdt
