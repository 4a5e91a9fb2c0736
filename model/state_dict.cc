#include "model/state_dict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kLargestSize = std::int64_t{1} << 24U;
constexpr std::int64_t kMostLayers = 1000;
constexpr std::array<std::string_view, 2> kWrappers = {"module.", "_orig_mod."};

/// Returns the prefix of all names; wrappers may be nested.
std::string common_prefix(const std::vector<TensorInfo>& tensors, const std::string& file) {
  std::string prefix;
  for (std::size_t i = 0; i < kWrappers.size();) {
    const std::string longer = prefix + std::string(kWrappers[i]);
    const auto has = [&](const TensorInfo& info) { return info.name.starts_with(longer); };
    const auto lacks = std::find_if_not(tensors.begin(), tensors.end(), has);
    if (lacks != tensors.end() && std::any_of(tensors.begin(), tensors.end(), has)) {
      throw InputError(file, lacks->name,
                       expected_got("only other tensors have the prefix of a PyTorch wrapper",
                                    longer + "... in all names or in none", lacks->name));
    }
    const bool all = lacks == tensors.end() && !tensors.empty();
    if (all) prefix = longer;
    i = all ? 0 : i + 1;
  }
  return prefix;
}

}  // namespace

StateDict::StateDict(const TensorFile& reader)
    : reader_(reader), prefix_(common_prefix(reader.tensors(), reader.path().string())) {
  for (const TensorInfo& info : reader.tensors()) {
    shapes_[info.name.substr(prefix_.size())] = info.shape;
  }
}

void StateDict::note_differences() const {
  if (!prefix_.empty()) {
    note(file() + ": every name begins with " + prefix_ + ", which is left out");
  }
  struct Change {
    const char *dtype, *what;
  };
  constexpr std::array<Change, 3> kChanges = {{{"F64", "float64 and are rounded to float32"},
                                               {"F16", "float16 and are widened to float32"},
                                               {"BF16", "bfloat16 and are widened to float32"}}};
  const std::vector<TensorInfo>& tensors = reader_.tensors();
  for (const Change& change : kChanges) {
    const auto count = std::count_if(tensors.begin(), tensors.end(), [&](const TensorInfo& info) {
      return info.dtype == change.dtype;
    });
    if (count == 0) continue;
    note(file() + ": " + std::to_string(count) + " of " + std::to_string(tensors.size()) +
         " tensors are " + change.what);
  }
}

CdtConfig StateDict::sizes_into(CdtConfig config) const {
  const bool released = shapes_.count("vce.dna_attn.in_proj_weight") > 0;
  config.variant = released ? Variant::kReleased : Variant::kPaper;
  config.hidden = rows("dna_projector.linear.weight");
  config.dna_dim = columns("dna_projector.linear.weight");
  config.rna_dim = columns("rna_projector.linear.weight");
  config.protein_dim = columns("protein_projector.linear.weight");
  config.fusion = rows("vce.fusion.0.weight");
  config.readout = readout();
  if (config.readout == Readout::kColumn) {
    config.genes = rows(released ? "task_layer.3.weight" : "task_layer.weight");
  }
  config.bin_position = shapes_.count("bin_position.weight") > 0;
  config.gene_position = shapes_.count("gene_position.weight") > 0;
  config.dna_layers = layers("dna");
  config.rna_layers = layers("rna");
  config.protein_layers = layers("protein");
  for (const auto& [name, shape] : shapes_) {
    if (name.ends_with(".ffn.0.weight")) config.feed_forward = rows(name);
  }
  return config;
}

Readout StateDict::readout() const {
  const auto first = shapes_.find("task_layer.0.weight");  // (D, D), or (D, 3D)
  if (first == shapes_.end() || first->second.size() != 2) return Readout::kColumn;
  return first->second[1] == 3 * first->second[0] ? Readout::kGene : Readout::kColumn;
}

std::vector<float> StateDict::read(const std::string& name) const {
  std::size_t count = 1;
  for (const std::int64_t size : shapes_.at(name)) count *= static_cast<std::size_t>(size);
  std::vector<float> values(count);
  reader_.read(prefix_ + name, values.data());
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad != values.end()) {
    throw InputError(
        file(), name,
        "element " + std::to_string(bad - values.begin()) + " is " + format_number(*bad));
  }
  return values;
}

std::int64_t StateDict::dimension(const std::string& name, std::size_t axis) const {
  const auto found = shapes_.find(name);
  if (found == shapes_.end()) {
    throw InputError(file(), name, "no such tensor; this is no checkpoint of the model");
  }
  if (found->second.size() != 2) {
    throw InputError(file(), name, expected_got("rank", "2", std::to_string(found->second.size())));
  }
  const std::int64_t size = found->second[axis];
  if (size < 1 || size > kLargestSize) {
    throw InputError(file(), name, "size " + std::to_string(size) + " is out of range");
  }
  return size;
}

std::int64_t StateDict::layers(const std::string& modality) const {
  std::int64_t count = 0;
  while (count < kMostLayers &&
         shapes_.count(modality + "_self_attn_layers." + std::to_string(count) +
                       ".self_attn.in_proj_weight") > 0) {
    ++count;
  }
  return count;
}

}  // namespace cdt
