#include "apps/train/warm_start.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "apps/train/patterns.h"
#include "io/dataset/lists.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

constexpr std::size_t kNamed = 3;  // names of a module that get lines of their own
constexpr int kNameWidth = 32;

/// Module of a tensor as CdtParameters names it: "vce" for "vce.dna_query",
/// "dna_self_attn_layers.0" for all that begin with it.
std::string module_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || !name.substr(0, dot).ends_with("_layers")) {
    return name.substr(0, dot);
  }
  return name.substr(0, name.find('.', dot + 1));
}

void print_line(std::ostream& out, const std::string& name, const std::string& what) {
  out << "  " << std::left << std::setw(kNameWidth) << name << std::right
      << (name.size() < kNameWidth ? "" : " ") << what << '\n';
}

/// Prints one line per name, followed by `what`; if a module has many names, one line with their
/// number.
void print_names(std::ostream& out, const std::vector<std::string>& names,
                 const std::string& what) {
  for (auto at = names.begin(); at != names.end();) {
    const std::string module = module_of(*at);
    const auto end = std::find_if(
        at, names.end(), [&](const std::string& name) { return module_of(name) != module; });
    if (const auto count = static_cast<std::size_t>(end - at); count > kNamed) {
      print_line(out, module,
                 number_of(static_cast<std::int64_t>(count), "tensor") +
                     (what.empty() ? "" : ", " + what));
    } else {
      std::for_each(at, end, [&](const std::string& name) { print_line(out, name, what); });
    }
    at = end;
  }
}

void print_taken(std::ostream& out, const WarmStart& start, const Cdt& model) {
  std::vector<std::pair<std::string, std::pair<int, int>>>
      modules;  // number of tensors taken, of all
  for (const Parameter& parameter : model.parameters()) {
    if (modules.empty() || modules.back().first != parameter.module) {
      modules.push_back({parameter.module, {0, 0}});
    }
    modules.back().second.first += static_cast<int>(start.taken.count(parameter.name));
    ++modules.back().second.second;
  }
  for (const auto& [name, counts] : modules) {
    if (counts.first == 0) continue;
    print_line(out, name, std::to_string(counts.first) + " of " + std::to_string(counts.second));
  }
}

void print_misfits(std::ostream& out, const WarmStart& start) {
  if (start.misfits.empty() && start.excepted.empty() && start.other_outputs.empty()) return;
  out << "not taken, initialised from scratch:\n";
  std::vector<std::string> missing;
  for (const WarmStart::Misfit& misfit : start.misfits) {
    if (misfit.there.empty()) {
      missing.push_back(misfit.name);
      continue;
    }
    print_line(out, misfit.name,
               shape_text(misfit.here) + ", in the file " + shape_text(misfit.there));
  }
  print_names(out, missing, "not in the file");
  print_names(out, {start.excepted.begin(), start.excepted.end()},
              "excluded by --init-from-except");
  print_names(out, start.other_outputs, "one model predicts effects, the other ranks");
}

void print_genes(std::ostream& out, const WarmStart& start, const Cdt& model) {
  if (!start.by_gene || !start.other_outputs.empty()) return;
  const std::int64_t genes = model.config().genes;
  const auto fresh = static_cast<std::int64_t>(start.fresh_genes.size());
  out << "rows of the last layer, by gene: " << genes - fresh << " of " << genes << " taken";
  if (fresh > 0) out << "; initialised from scratch: " << named(start.fresh_genes, "gene");
  if (!start.unused_genes.empty()) {
    out << "; not used: " << named(start.unused_genes, "gene");
  }
  out << '\n';
}

/// Warns about doubts although the file fits.
void warn_of_doubts(const WarmStart& start, const Cdt& model, const std::string& file) {
  const Linear& last = model.head.last;
  const bool whole_last =
      !start.by_gene && model.config().readout == Readout::kColumn &&
      std::any_of(model.parameters().begin(), model.parameters().end(), [&](const Parameter& p) {
        return &p.variable == last.weight && start.taken.count(p.name) > 0;
      });
  if (whole_last) {
    warn(file +
         ": genes are not recorded; the last layer is taken as if its genes were those of the " +
         "data set, in the same order (name them with --init-from-genes LIST)");
  }
  std::vector<std::string> stuck;
  for (const Parameter& parameter : model.parameters()) {
    if (!model.frozen() && !parameter.trained() && start.taken.count(parameter.name) == 0) {
      stuck.push_back(parameter.name);
    }
  }
  if (!stuck.empty()) {
    warn("frozen, although not taken from " + file + ": " + named(stuck, "tensor") +
         "; frozen parameters keep their random initial values");
  }
  if (!start.other_embeddings.empty()) {
    warn(file + ": was trained with other " + joined(start.other_embeddings, " and ") +
         " embeddings of the same genes; the layers that project them are taken anyway");
  }
}

}  // namespace

void begin_from(const TensorFile& file, const TrainOptions& options, const Dataset& data,
                Backend& backend, Cdt& model, const OutputUnits& units) {
  WarmStartChoice choice;
  choice.units = units;
  choice.except = parameters_named("--init-from-except", options.init_from_except, model);
  if (!options.init_from_genes.empty()) {
    for (const std::string& gene : read_gene_list(options.init_from_genes)) {
      choice.genes.push_back(escape_bytes(gene));
    }
  }
  const WarmStart start = start_from(file, model_inputs_of(data), choice, backend, model);
  const std::string name = file.path().string();
  if (!options.common.quiet) print_warm_start(std::cerr, start, model, name);
  warn_of_doubts(start, model, name);
}

void print_warm_start(std::ostream& out, const WarmStart& start, const Cdt& model,
                      const std::string& file) {
  out << start.taken.size() << " of " << model.parameters().size() << " tensors are taken from "
      << file << ":\n";
  print_taken(out, start, model);
  print_genes(out, start, model);
  print_misfits(out, start);
  if (start.unused.empty()) return;
  out << "not used from the file:\n";
  print_names(out, start.unused, "");
}

}  // namespace cdt
