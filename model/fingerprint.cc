#include "model/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/not_finite.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kSampledBytes = std::int64_t{256} << 20;  // bytes of DNA in the digest
constexpr std::int64_t kSampledRows = 16;                        // or this many rows, if more

void add_tables(const Dataset& data, Digest* to) {
  Digest& digest = *to;
  for (const std::int64_t size :
       {data.bins, std::int64_t{data.bin_bp}, data.dna_dim, data.rna_dim, data.protein_dim}) {
    digest.add(static_cast<std::uint64_t>(size));
  }
  digest.add(std::string_view(data.assembly));
  std::string text;
  for (const std::string& gene : data.genes) text += gene + '\n';
  for (const Enhancer& e : data.enhancers) {
    text += e.chrom + '\t' + std::to_string(e.start) + '\t' + std::to_string(e.end) + '\t' +
            e.name + '\n';
  }
  for (const Pair& pair : data.pairs) {
    text += std::string(split_name(pair.split)) + '\t' + std::to_string(pair.enhancer) + '\t' +
            std::to_string(pair.gene) + '\t' + format_number(pair.beta);
    if (data.folds > 0) text += '\t' + std::to_string(pair.fold);
    if (pair.se > 0.0F) text += "\tse " + format_number(pair.se);
    if (!data.samples.empty()) text += "\tsample " + std::to_string(pair.sample);
    text += '\n';
  }
  digest.add(std::string_view(text));
  digest.add(data.rna);
  digest.add(data.protein);
  if (!data.gene_starts.empty()) {
    digest.add(std::string_view(gene_table_text(data.gene_starts, data.genes)));
  }
}

/// Adds the RNA of samples: of all of them or, if that is much, of evenly spaced ones.
void add_samples(const Dataset& data, Digest* digest) {
  std::vector<float> rna(static_cast<std::size_t>(data.genes_count() * data.rna_dim));
  const auto bytes = static_cast<std::int64_t>(rna.size() * sizeof(float));
  const std::int64_t count = data.samples_count();
  const std::int64_t read = std::min(std::max(kSampledBytes / bytes, kSampledRows), count);
  for (const std::string& sample : data.samples) digest->add(std::string_view(sample));
  for (std::int64_t i = 0; i < read; ++i) {
    try {
      data.read_rna(static_cast<std::int32_t>(i * count / read), rna.data());
      digest->add(rna);
    } catch (const NotFiniteInput&) {  // reported by whoever uses the sample
      digest->add(static_cast<std::uint64_t>(i));
    }
  }
}

/// Adds windows of DNA: all of them or, if they are large, evenly spaced ones.
void add_windows(const Dataset& data, std::int64_t count,
                 void (Dataset::*read)(std::int32_t, float*) const, Digest* digest) {
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  const auto row_bytes = static_cast<std::int64_t>(row.size() * sizeof(float));
  const std::int64_t rows = std::min(std::max(kSampledBytes / row_bytes, kSampledRows), count);
  for (std::int64_t i = 0; i < rows; ++i) {
    try {
      (data.*read)(static_cast<std::int32_t>(i * count / rows), row.data());
      digest->add(row);
    } catch (const NotFiniteInput&) {  // reported by whoever uses the row
      digest->add(static_cast<std::uint64_t>(i));
    }
  }
}

}  // namespace

void add_rna(const Dataset& data, Digest* digest) {
  if (data.samples.empty()) digest->add(data.rna);
  for (std::int32_t sample = 0; sample < data.samples_count(); ++sample) {
    digest->add(std::string_view(data.samples[static_cast<std::size_t>(sample)]));
    digest->add(data.rna_of(sample));
  }
}

void name_extensions(const CdtConfig& config, Fingerprint* fingerprint) {
  const std::string names = extensions_text(config);
  if (!names.empty()) fingerprint->extensions = names;
}

std::string digest_of_tables(const Dataset& data) {
  Digest digest;
  add_tables(data, &digest);
  return digest.hex();
}

std::string digest_of_data(const Dataset& data) {
  Digest digest;
  add_tables(data, &digest);
  if (!data.samples.empty()) add_samples(data, &digest);
  add_windows(data, data.enhancers_count(), &Dataset::read_dna, &digest);
  if (data.has_dna_gene()) {
    add_windows(data, data.genes_count(), &Dataset::read_dna_gene, &digest);
  }
  return digest.hex();
}

}  // namespace cdt
