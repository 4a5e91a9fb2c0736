#include "apps/train/rna_input.h"

#include <map>

#include "engine/error.h"

namespace cdt {

RnaInput::RnaInput(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch)
    : data_(data), backend_(backend) {
  const bool is_shared = data.samples_count() < 2;
  values_ = lasting.tensor({is_shared ? 1 : batch, data.genes_count(), data.rna_dim});
  if (is_shared && backend.holds_values()) backend.upload(values_, data.rna_of(0).data());
}

void RnaInput::load(const std::vector<std::int32_t>& samples) {
  if (data_.samples_count() < 2) return;
  CDT_CHECK(std::ssize(samples) == values_.shape[0], "the sample of every pair");
  std::map<std::int32_t, std::vector<std::int64_t>> places;  // by sample, each read once
  for (std::int64_t i = 0; i < values_.shape[0]; ++i) {
    places[samples[static_cast<std::size_t>(i)]].push_back(i);
  }
  for (const auto& [sample, rows] : places) {
    const std::vector<float> rna = data_.rna_of(sample);
    for (const std::int64_t row : rows) backend_.upload(values_.slice(row, row + 1), rna.data());
  }
}

}  // namespace cdt
