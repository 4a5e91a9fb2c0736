#include "model/gene_places.h"

#include <optional>

#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "model/positions.h"

namespace cdt {

GenePlaces::GenePlaces(const CdtConfig& config, const Dataset& data, Backend& backend,
                       Arena& lasting, std::int64_t batch)
    : data_(data), backend_(backend) {
  if (config.gene_position) features_ = lasting.tensor({batch, config.genes, kGeneFeatures});
}

Tensor GenePlaces::load(const std::vector<std::int32_t>& rows) {
  if (!wanted()) return {};
  const std::int64_t genes = features_.shape[1];
  CDT_CHECK(std::ssize(data_.gene_starts) == genes, "a gene table of the model's genes");
  host_.resize(rows.size() * static_cast<std::size_t>(genes * kGeneFeatures));
  float* out = host_.data();
  for (const std::int32_t row : rows) {
    const Enhancer& enhancer = enhancer_of(data_, row);
    for (const std::optional<GeneStart>& start : data_.gene_starts) {
      gene_features(start_offset(enhancer, start), data_.bins, data_.bin_bp, out);
      out += kGeneFeatures;
    }
  }
  const Tensor batch = features_.slice(0, std::ssize(rows));
  backend_.upload(batch, host_.data());
  return batch;
}

}  // namespace cdt
