// Row-wise softmax with dropout on its output, for attention pooling.
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dropout_mask.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vector_math.h"

namespace cdt {

void CpuBackend::softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) {
  const std::int64_t cols = x.cols();
  const F32 scale = splat(key.scale());
  const MaskColumns mask(key, cols);
  for_rows(threads_, x.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      float* row = x.data + r * cols;
      float* out = dropped.data + r * cols;
      const F32 share = splat(1.0F / exponentials(row, cols).sum);
      mask.for_kept(static_cast<std::uint32_t>(r), 0, cols,
                    [&](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
                      const F32 p = load(row + i, lanes) * share;
                      store(row + i, p, lanes);
                      store(out + i, keep_where(kept, p * scale), lanes);
                    });
    }
  });
}

void CpuBackend::softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                          const Tensor& ds) {
  const std::int64_t cols = p.cols();
  const F32 scale = splat(key.scale());
  const MaskColumns mask(key, cols);
  for_rows(threads_, p.rows(), cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const float* row = p.data + r * cols;
      const float* up = dp.data + r * cols;
      float* out = ds.data + r * cols;
      mask.for_kept(static_cast<std::uint32_t>(r), 0, cols,
                    [&](std::int64_t i, int lanes, I32 kept) CDT_INLINE {
                      store(out + i, keep_where(kept, load(up + i, lanes) * scale), lanes);
                    });
      const F32 dot = splat(sum_over<F32>(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        return load(row + i, lanes) * load(out + i, lanes);
      }));
      for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        store(out + i, load(row + i, lanes) * (load(out + i, lanes) - dot), lanes);
      });
    }
  });
}

}  // namespace cdt
