// Sizes and variant of a CDT model, and their JSON: the value of "config" in a checkpoint's
// metadata, and part of a run's config.json. Defaults are the released v3.3.1.
#pragma once

#include <cstdint>
#include <string>

namespace cdt {

enum class Variant { kReleased, kPaper };

/// What a gene's prediction is computed from. kColumn: the Virtual Cell Embedding, by an output
/// column of each gene, as in the released code. kGene: the embedding together with the gene's own
/// fused RNA and protein tokens (section 3.2), by a head that all genes share.
enum class Readout : std::uint8_t { kColumn, kGene };

/// Bins of a DNA window of the released model.
inline constexpr std::int64_t kReleasedBins = 896;

struct CdtConfig {
  Variant variant = Variant::kReleased;
  std::int64_t dna_dim = 3072;
  std::int64_t rna_dim = 512;
  std::int64_t protein_dim = 768;
  std::int64_t genes = 2360;
  std::int64_t hidden = 768;
  std::int64_t heads = 8;
  std::int64_t pool_heads = 4;
  std::int64_t feed_forward = 3072;
  std::int64_t fusion = 1536;
  std::int64_t dna_layers = 2;
  std::int64_t rna_layers = 1;
  std::int64_t protein_layers = 1;
  float dropout = 0.3F;
  // Extensions that the released model does not have (docs/extensions.md).
  Readout readout = Readout::kColumn;
  bool bin_position = false;   // DNA bins know their distance to the window's centre
  std::int64_t bins = 0;       // in a window; only with bin_position
  bool gene_position = false;  // genes know where they start, relative to the window
  bool gene_window = false;    // genes read a second window, around their start

  /// Number of pooling heads; the paper's variant has one.
  std::int64_t pooling_heads() const { return variant == Variant::kPaper ? 1 : pool_heads; }
};

/// Returns "" if the sizes are consistent, else one sentence saying what is not.
std::string config_problem(const CdtConfig& config);

/// Parses "released" or "paper"; throws InputError(source, field) on anything else.
Variant parse_variant(const std::string& text, const std::string& source);
const char* variant_name(Variant variant);
/// Parses "column" or "gene"; throws as parse_variant().
Readout parse_readout(const std::string& text, const std::string& source);
const char* readout_name(Readout readout);

inline constexpr const char* kGeneReadout = "gene readout";
inline constexpr const char* kBinPosition = "bin position";
inline constexpr const char* kGenePosition = "gene position";
inline constexpr const char* kGeneWindow = "gene window";
/// Follows such names in text.
inline constexpr const char* kNotInReleased = ", which the released model does not have";
/// Names what the model has beyond the released one, such as "gene readout, bin position"; "" if
/// nothing.
std::string extensions_text(const CdtConfig& config);

/// Returns the configuration as one line of JSON. Extensions appear only in a model that has them.
std::string model_config_json(const CdtConfig& config);

/// Parses such a line. Throws InputError(source, field) for a key that is missing, unknown or out
/// of range.
CdtConfig parse_model_config(const std::string& text, const std::string& source);

/// Throws InputError(source, field, "WHAT (expected X, got Y)") for the first size in which `got`
/// differs from `expected`.
void check_same_config(const CdtConfig& expected, const CdtConfig& got, const std::string& source,
                       const std::string& what);

}  // namespace cdt
