#include "engine/ops.h"

namespace cdt {
namespace {

// Row b of a (1|B, C) tensor, or its only row.
Tensor row_of(const Tensor& t, std::int64_t b) { return t.shape[0] == 1 ? t : t.slice(b, b + 1); }

// Columns [offset, offset + n) of row b.
Tensor row_part(const Tensor& t, std::int64_t b, std::int64_t offset, std::int64_t n) {
  return {t.data + b * t.cols() + offset, {1, n}};
}

}  // namespace

Var concat(Tape& tape, const std::vector<Var>& parts, std::int64_t batch) {
  const OpScope op(tape, "concat");
  std::int64_t width = 0;
  bool needs_grad = false;
  for (const Var part : parts) {
    expect_batch("concat", "part", part->value, batch);
    width += part->value.cols();
    needs_grad = needs_grad || part->needs_grad;
  }
  const Var y = tape.output({batch, width}, needs_grad);
  std::int64_t offset = 0;
  for (const Var part : parts) {
    const std::int64_t n = part->value.cols();
    for (std::int64_t b = 0; b < batch; ++b) {
      tape.backend().copy(row_part(y->value, b, offset, n), row_of(part->value, b));
    }
    offset += n;
  }
  tape.record(y, {}, [&tape, parts, y, batch] {
    std::int64_t at = 0;
    for (const Var part : parts) {
      const std::int64_t n = part->value.cols();
      at += n;
      if (!part->needs_grad) continue;
      const GradTarget target = tape.gradient(part);
      if (!target.accumulate) tape.backend().fill(target.grad, 0.0F);
      for (std::int64_t b = 0; b < batch; ++b) {
        tape.backend().add_to(row_of(target.grad, b), row_part(y->grad, b, at - n, n));
      }
    }
  });
  return y;
}

}  // namespace cdt
