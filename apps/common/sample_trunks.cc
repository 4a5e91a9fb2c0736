#include "apps/common/sample_trunks.h"

#include <utility>

#include "engine/backend.h"

namespace cdt {
namespace {

/// Rows of a (rows, width) matrix in another order; unchanged if the order is empty.
std::vector<float> ordered(std::vector<float> values, std::int64_t width,
                           const std::vector<std::size_t>& order) {
  if (order.empty()) return values;
  const auto size = static_cast<std::size_t>(width);
  std::vector<float> out;
  out.reserve(values.size());
  for (const std::size_t from : order) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from * size);
    out.insert(out.end(), begin, begin + width);
  }
  return out;
}

}  // namespace

SampleTrunks::SampleTrunks(Cdt& model, Tape& tape, Arena& constants, const Dataset& data,
                           GeneOrder rows)
    : model_(model),
      tape_(tape),
      constants_(constants),
      data_(data),
      rows_(std::move(rows)),
      rna_(constants.tensor({1, model.config().genes, model.config().rna_dim})),
      protein_(constants.tensor({1, model.config().genes, model.config().protein_dim})) {}

void SampleTrunks::upload_rna(std::int32_t sample) {
  Backend& backend = tape_.backend();
  if (!backend.holds_values()) return;
  backend.upload(rna_, ordered(data_.rna_of(sample), data_.rna_dim, rows_.rna).data());
}

const Trunks& SampleTrunks::of(std::int32_t sample) {
  const std::int32_t wanted = by_sample() ? sample : 0;
  if (wanted == current_) return trunks_;
  tape_.eval();
  upload_rna(wanted);
  if (current_ < 0) {
    tape_.backend().upload(protein_,
                           ordered(data_.protein, data_.protein_dim, rows_.protein).data());
    trunks_ = model_.compute_trunks(tape_, rna_, protein_, constants_);
  } else {
    model_.replace_rna(tape_, rna_, trunks_);
  }
  current_ = wanted;
  return trunks_;
}

}  // namespace cdt
