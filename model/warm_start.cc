#include "model/warm_start.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/error.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/state_dict.h"

namespace cdt {
namespace {

using Dims = std::vector<std::int64_t>;

/// Returns the shape of a tensor in the file, or null.
const Dims* find(const StateDict& dict, const std::string& name) {
  const auto found = dict.shapes().find(name);
  return found == dict.shapes().end() ? nullptr : &found->second;
}

/// Requires the model's hidden size: almost every shape contains it, and the few tensors that would
/// fit without it make no model.
void check_hidden(const StateDict& dict, const CdtConfig& config) {
  for (const char* name : {"dna_projector", "rna_projector", "protein_projector"}) {
    const Dims* shape = find(dict, std::string(name) + ".linear.weight");
    if (shape == nullptr || shape->size() != 2 || shape->front() == config.hidden) continue;
    const std::string there = std::to_string(shape->front());
    throw InputError(dict.file(), "hidden",
                     expected_got("fits no model of another hidden size; --hidden " + there +
                                      " makes one of the file's",
                                  std::to_string(config.hidden), there));
  }
}

/// Requires the same numbers of heads: they change the meaning of attention's tensors, but no
/// shape.
void check_heads(const CdtConfig& there, const CdtConfig& here, const std::string& file) {
  const auto check = [&](const std::string& option, std::int64_t stored, std::int64_t own) {
    if (stored == own) return;
    throw InputError(
        file, option,
        expected_got("its attention means something else in a model of other heads; "
                     "--" +
                         option + " " + std::to_string(stored) + " makes one of the file's",
                     std::to_string(own), std::to_string(stored)));
  };
  check("heads", there.heads, here.heads);
  if (there.variant == Variant::kReleased && here.variant == Variant::kReleased) {
    check("pool-heads", there.pool_heads, here.pool_heads);
  }
}

/// Returns the model inputs that the file records, after checking sizes and heads.
std::optional<ModelInputs> recorded_inputs(const TensorFile& reader, const StateDict& dict,
                                           const CdtConfig& config) {
  if (!is_our_format(reader)) {
    check_hidden(dict, config);
    note(dict.file() + ": heads are not recorded; the model has " + std::to_string(config.heads) +
         ", and " + std::to_string(config.pooling_heads()) + " in pooling");
    return std::nullopt;
  }
  const CdtConfig stored = read_model_config(reader, {});
  check_hidden(dict, config);
  check_heads(stored, config, dict.file());
  return read_model_inputs(reader, stored.genes);
}

/// Decides which tensors to take, then takes them.
class Taker {
 public:
  Taker(const TensorFile& reader, const ModelInputs& data, const WarmStartChoice& choice,
        Backend& backend, Cdt& model)
      : dict_(reader),
        data_(data),
        choice_(choice),
        backend_(backend),
        model_(model),
        units_(read_output_units(reader)),
        factor_(units_.scale / choice.units.scale) {
    const auto stored = recorded_inputs(reader, dict_, model.config());
    choose_genes(stored);
    for (Parameter& parameter : model_.parameters()) choose(parameter);
    for (const auto& [name, shape] : dict_.shapes()) {
      if (is_unused(name)) result_.unused.push_back(name);
    }
    if (stored) compare_embeddings(*stored);
  }

  WarmStart take() {
    if (chosen_.empty()) {
      throw InputError(dict_.file(), "tensors",
                       "not one of its " + std::to_string(dict_.shapes().size()) +
                           " fits the model by name and shape");
    }
    dict_.note_differences();
    for (Parameter* parameter : chosen_) {
      std::vector<float> values = dict_.read(parameter->name);
      if (is_last(*parameter) && factor_ != 1.0) {
        for (float& value : values) value = static_cast<float>(value * factor_);
      }
      if (goes_by_gene(*parameter)) values = by_gene(*parameter, values);
      model_.set(&parameter->variable, values.data());
    }
    return result_;
  }

 private:
  bool is_last(const Parameter& parameter) const {
    const Linear& last = model_.head.last;
    return &parameter.variable == last.weight || &parameter.variable == last.bias;
  }
  bool goes_by_gene(const Parameter& parameter) const {
    return result_.by_gene && is_last(parameter);
  }

  /// Finds the file's row for each gene of the model, -1 if it has none.
  void choose_genes(const std::optional<ModelInputs>& stored) {
    if (stored && !choice_.genes.empty()) {
      throw InputError(dict_.file(), "genes",
                       "are recorded in the file; leave --init-from-genes out");
    }
    genes_ = stored ? stored->genes : choice_.genes;
    // With the gene readout, no row of the last layer belongs to a gene.
    result_.by_gene = !genes_.empty() && model_.config().readout == Readout::kColumn &&
                      dict_.readout() == Readout::kColumn;
    if (!result_.by_gene) return;
    const NameIndex there = index_names(genes_);
    for (const std::string& gene : data_.genes) {
      const auto found = there.find(gene);
      rows_.push_back(found == there.end() ? -1 : found->second);
      if (found == there.end()) result_.fresh_genes.push_back(gene);
    }
    const NameIndex here = index_names(data_.genes);
    for (const std::string& gene : genes_) {
      if (here.count(gene) == 0) result_.unused_genes.push_back(gene);
    }
  }

  /// True if the tensor fits, as a whole or in the rows of shared genes.
  bool fits(const Parameter& parameter, const Dims& here, Dims there) const {
    if (!goes_by_gene(parameter)) return there == here;
    if (there.size() != here.size()) return false;
    const auto rows = static_cast<std::int64_t>(genes_.size());
    if (there.front() != rows) {
      throw InputError(dict_.file(), parameter.name,
                       expected_got("has a row for each of the genes that --init-from-genes names",
                                    std::to_string(rows), std::to_string(there.front())));
    }
    there.front() = here.front();
    return there == here && result_.fresh_genes.size() < data_.genes.size();
  }

  void choose(Parameter& parameter) {
    const Dims* there = find(dict_, parameter.name);
    const Dims here = dims_of(parameter.variable.value.shape);
    if (there == nullptr || !fits(parameter, here, *there)) {
      result_.misfits.push_back({parameter.name, here, there == nullptr ? Dims{} : *there});
    } else if (choice_.except.count(parameter.name) > 0) {
      result_.excepted.insert(parameter.name);
    } else if (is_last(parameter) && units_.ranks != choice_.units.ranks) {
      result_.other_outputs.push_back(parameter.name);
    } else {
      chosen_.push_back(&parameter);
      result_.taken.insert(parameter.name);
    }
  }

  bool is_unused(const std::string& name) const {
    const auto& misfits = result_.misfits;
    const auto& others = result_.other_outputs;
    return result_.taken.count(name) == 0 && result_.excepted.count(name) == 0 &&
           std::find(others.begin(), others.end(), name) == others.end() &&
           std::none_of(misfits.begin(), misfits.end(),
                        [&](const WarmStart::Misfit& misfit) { return misfit.name == name; });
  }

  /// The digests cover all genes in order, so they can only be compared for the same genes.
  void compare_embeddings(const ModelInputs& stored) {
    if (stored.genes != data_.genes) return;
    const auto compare = [&](const char* what, const char* weight, const std::string& there,
                             const std::string& here) {
      if (there == here || result_.taken.count(weight) == 0) return;
      result_.other_embeddings.emplace_back(what);
    };
    compare("RNA", "rna_projector.linear.weight", stored.rna, data_.rna);
    compare("protein", "protein_projector.linear.weight", stored.protein, data_.protein);
  }

  /// Returns the model's values with the rows of shared genes replaced by the file's.
  std::vector<float> by_gene(const Parameter& parameter, const std::vector<float>& stored) const {
    std::vector<float> values = to_host(backend_, parameter.variable.value);
    const auto width = static_cast<std::ptrdiff_t>(values.size() / rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] < 0) continue;
      std::copy_n(stored.begin() + rows_[i] * width, width,
                  values.begin() + static_cast<std::ptrdiff_t>(i) * width);
    }
    return values;
  }

  StateDict dict_;
  const ModelInputs& data_;
  const WarmStartChoice& choice_;
  Backend& backend_;
  Cdt& model_;
  std::vector<std::string> genes_;  // genes of the file's last layer; empty: unknown
  std::vector<std::int32_t> rows_;
  std::vector<Parameter*> chosen_;
  OutputUnits units_;  // of the file's outputs
  double factor_;      // of the last layer, whose outputs may have another unit here
  WarmStart result_;
};

}  // namespace

WarmStart start_from(const TensorFile& file, const ModelInputs& data, const WarmStartChoice& choice,
                     Backend& backend, Cdt& model) {
  return Taker(file, data, choice, backend, model).take();
}

}  // namespace cdt
