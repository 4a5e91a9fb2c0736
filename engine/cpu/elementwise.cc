// Addition, dropout and GELU, element by element.
#include <algorithm>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dropout_mask.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vector_math.h"

namespace cdt {

void CpuBackend::add_to(const Tensor& out, const Tensor& a) {
  for_ranges(threads_for_elements(threads_, out.count()), out.count(), kGrain,
             [&](std::int64_t begin, std::int64_t end) {
               float* y = out.data + begin;
               const float* x = a.data + begin;
               for_lanes(end - begin, [&](std::int64_t i, int lanes) CDT_INLINE {
                 store(y + i, load(y + i, lanes) + load(x + i, lanes), lanes);
               });
             });
}

void CpuBackend::put_columns(const Tensor& x, std::int64_t first, const Tensor& y) {
  const std::int64_t n = x.cols();
  for (std::int64_t b = 0; b < y.rows(); ++b) {
    const float* from = x.data + b % x.rows() * n;
    std::copy(from, from + n, y.data + b * y.cols() + first);
  }
}

void CpuBackend::take_columns(const Tensor& dy, std::int64_t first, const Tensor& dx,
                              bool accumulate) {
  const std::int64_t n = dx.cols();
  for (std::int64_t b = 0; b < dy.rows(); ++b) {
    const bool add = accumulate || b >= dx.rows();
    const float* from = dy.data + b * dy.cols() + first;
    float* to = dx.data + b % dx.rows() * n;
    for (std::int64_t i = 0; i < n; ++i) to[i] = add ? to[i] + from[i] : from[i];
  }
}

void CpuBackend::zero_rows(const Tensor& keep, const Tensor& x) {
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    if (keep.data[r] == 0.0F) fill({x.data + r * x.cols(), {x.cols()}}, 0.0F);
  }
}

void CpuBackend::dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) {
  const F32 scale = splat(key.scale());
  for_masked_pairs(threads_, x, key, 0, y, [&](const float* in, float* out) {
    return [&scale, in, out](std::int64_t i, int lanes, I32 kept)
               CDT_INLINE { store(out + i, keep_where(kept, load(in + i, lanes) * scale), lanes); };
  });
}

void CpuBackend::dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                  bool accumulate) {
  const std::int64_t cols = dx.cols();
  const std::int64_t rows = dx.rows();
  const std::int64_t batch = dy.rows() / rows;
  const F32 scale = splat(key.scale());
  const MaskColumns mask(key, cols);
  for_rows(threads_, rows, cols * batch, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      float* out = dx.data + r * cols;
      for (std::int64_t b = 0; b < batch; ++b) {
        const bool add = accumulate || b > 0;
        const float* in = dy.data + (b * rows + r) * cols;
        mask.for_kept(static_cast<std::uint32_t>(b * rows + r), 0, cols,
                      [&](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
                        const F32 term = keep_where(kept, load(in + i, lanes) * scale);
                        store(out + i, add ? load(out + i, lanes) + term : term, lanes);
                      });
      }
    }
  });
}

void CpuBackend::residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) {
  const F32 scale = splat(key.scale());
  for_masked_pairs(threads_, x, key, 0, a, [&](const float* in, float* out) {
    return [&scale, in, out](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
      const F32 term = keep_where(kept, load(out + i, lanes) * scale);
      store(out + i, load(in + i, lanes) + term, lanes);
    };
  });
}

void CpuBackend::gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                              const Tensor& y) {
  const F32 scale = splat(key.scale());
  for_masked_pairs(threads_, x, key, first_row, y, [&](const float* in, float* out) {
    return [&scale, in, out](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
      store(out + i, keep_where(kept, gelu(load(in + i, lanes)) * scale), lanes);
    };
  });
}

void CpuBackend::gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                       std::int64_t first_row, const Tensor& dx, const Tensor& h,
                                       const Tensor& dbias) {
  const std::int64_t cols = dx.cols();
  const F32 scale = splat(key.scale());
  for_masked_rows(threads_, dx, key, first_row, [&](std::int64_t r) {
    const float* in = x.data + r * cols;
    const float* up = dy.data + r * cols;
    float* out = dx.data + r * cols;
    float* value = h.empty() ? nullptr : h.data + r * cols;
    return [&scale, in, up, out, value](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
      const F32 at = load(in + i, lanes);
      const F32 slope = gelu_derivative(at) * scale;
      if (value != nullptr) store(value + i, keep_where(kept, gelu(at) * scale), lanes);
      store(out + i, keep_where(kept, load(up + i, lanes) * slope), lanes);
    };
  });
  if (!dbias.empty()) column_sum(dx, dbias, true);
}

}  // namespace cdt
