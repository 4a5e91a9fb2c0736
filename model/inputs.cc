#include "model/inputs.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/manifest.h"
#include "io/format/digest.h"
#include "io/format/text.h"
#include "io/genome/assembly.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

constexpr std::int64_t kMostBins = std::int64_t{1} << 32U;
constexpr std::size_t kLongestName = 1024;  // 256 bytes in a gene list, each escaped
constexpr const char* kGenes = "genes";
constexpr const char* kTrainPairs = "train_pairs";
constexpr const char* kValPairs = "val_pairs";
constexpr const char* kGeneStarts = "gene_starts";
constexpr const char* kFold = "fold";
constexpr const char* kTrainShare = "train_share";

/// The recorded parts other than the genes, as in the metadata.
struct Part {
  std::string name, text;
};
std::vector<Part> parts_of(const ModelInputs& inputs) {
  return {{"bins", std::to_string(inputs.bins)},
          {"bin_bp", std::to_string(inputs.bin_bp)},
          {"assembly", inputs.assembly},
          {"rna", inputs.rna},
          {"protein", inputs.protein}};
}

/// The parts to compare, and what the data set has in their place. A model that does not record
/// gene starts does not use them; a data set without them is refused where they are needed.
std::pair<std::vector<Part>, std::vector<Part>> compared_parts(const ModelInputs& model,
                                                               const ModelInputs& data) {
  std::pair<std::vector<Part>, std::vector<Part>> out{parts_of(model), parts_of(data)};
  if (model.gene_starts.empty() || data.gene_starts.empty()) return out;
  out.first.push_back({kGeneStarts, model.gene_starts});
  out.second.push_back({kGeneStarts, data.gene_starts});
  return out;
}

/// True if one of our files records `key`; a foreign state_dict may have metadata of its own.
bool records(const TensorFile& file, const std::string& key) {
  return file.has_metadata("format") && file.has_metadata(key);
}

/// Returns an entry that must be there because others are.
const std::string& entry(const TensorFile& file, const char* key) {
  return file.metadata(key, "is missing, though others are there");
}

std::int64_t read_integer(const TensorFile& file, const char* key) {
  const std::string& text = entry(file, key);
  std::int64_t value = 0;
  if (!parse_int64(text, &value) || value < 1 || value > kMostBins) {
    file.fail_metadata(key,
                       expected_got("out of range", "1 to " + std::to_string(kMostBins), text));
  }
  return value;
}

const std::string& read_digest(const TensorFile& file, const char* key) {
  const std::string& text = entry(file, key);
  if (Digest::is_hex(text)) return text;
  file.fail_metadata(key, expected_got("is no digest", "16 hexadecimal digits", text));
}

/// True if the file records the pairs; it must have both digests or neither.
bool has_pairs(const TensorFile& file) {
  return records(file, kTrainPairs) || records(file, kValPairs);
}

std::vector<std::string> read_genes(const TensorFile& file, std::int64_t count) {
  const std::vector<std::string_view> lines = split(entry(file, kGenes), '\n');
  if (static_cast<std::int64_t>(lines.size()) != count) {
    file.fail_metadata(kGenes, expected_got("number of names differs from the model's genes",
                                            std::to_string(count), std::to_string(lines.size())));
  }
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (const std::string_view line : lines) {
    const std::string where = "gene " + std::to_string(out.size() + 1);
    if (line.empty() || line.size() > kLongestName) {
      file.fail_metadata(
          kGenes, expected_got(where, "a name of 1 to " + std::to_string(kLongestName) + " bytes",
                               std::to_string(line.size()) + " bytes"));
    }
    if (!seen.insert(line).second) {
      file.fail_metadata(kGenes, where + " is there twice: " + std::string(line));
    }
    out.emplace_back(line);
  }
  return out;
}

/// Reads the entry "A WORD B": a number, which `parse` reads, and a whole number, which is
/// returned.
template <class A>
std::int64_t read_two(const TensorFile& file, const char* key, const std::string& word, A* a,
                      bool (*parse)(std::string_view, A*)) {
  const std::string& text = entry(file, key);
  const std::size_t at = std::min(text.find(word), text.size());
  std::int64_t b = 0;
  if (parse(std::string_view(text).substr(0, at), a) && *a > 0 && at < text.size() &&
      parse_int64(std::string_view(text).substr(at + word.size()), &b) && b >= 0) {
    return b;
  }
  file.fail_metadata(key, expected_got("bad value", "N" + word + "N", text));
}

/// The pairs that the file says its model was trained on, of a data set of *folds folds (0 if none
/// was chosen).
PairUse recorded_use(const TensorFile& file, std::int64_t* folds) {
  PairUse out;
  if (records(file, kFold)) *folds = read_two(file, kFold, " of ", &out.fold, parse_int64);
  if (records(file, kTrainShare)) {
    out.seed = static_cast<std::uint64_t>(
        read_two(file, kTrainShare, " by seed ", &out.train_share, parse_double));
  }
  return out;
}

/// The model and the data set as error messages name them.
struct ModelAndData {
  std::string file;  // the model's file
  std::string data;  // the data set's directory
};

void check_sizes(const CdtConfig& config, const Dataset& data, const ModelAndData& sides,
                 bool check_genes) {
  struct Size {
    const char* name;
    std::int64_t model, data;
  };
  const Size sizes[] = {{"dna_dim", config.dna_dim, data.dna_dim},
                        {"rna_dim", config.rna_dim, data.rna_dim},
                        {"protein_dim", config.protein_dim, data.protein_dim},
                        {"bins", config.bin_position ? config.bins : data.bins, data.bins},
                        {kGenes, config.genes, check_genes ? data.genes_count() : config.genes}};
  for (const Size& size : sizes) {
    if (size.model == size.data) continue;
    throw InputError(sides.file, size.name,
                     expected_got("does not fit the data set " + sides.data,
                                  std::to_string(size.model), std::to_string(size.data)));
  }
}

/// Returns the genes of `a` that `b` lacks.
std::vector<std::string> missing(const std::vector<std::string>& a, const NameIndex& b) {
  std::vector<std::string> out = a;
  std::erase_if(out, [&](const std::string& gene) { return b.count(gene) > 0; });
  return out;
}

/// Throws InputError unless the genes are the model's in the same order.
void check_genes(const ModelInputs& model, const ModelInputs& data, const ModelAndData& sides) {
  if (model.genes == data.genes) return;
  const std::vector<std::string> lacking = missing(model.genes, index_names(data.genes));
  const std::vector<std::string> foreign = missing(data.genes, index_names(model.genes));
  const auto [own, other] =
      std::mismatch(model.genes.begin(), model.genes.end(), data.genes.begin(), data.genes.end());
  std::string what = "are not those of the data set " + sides.data + " in its order: ";
  if (lacking.empty() && foreign.empty()) {
    const int moved = std::inner_product(model.genes.begin(), model.genes.end(), data.genes.begin(),
                                         0, std::plus<>(), std::not_equal_to<>());
    what += std::to_string(moved) + " of " + std::to_string(model.genes.size()) +
            " are elsewhere; --match-genes maps them by name";
  } else {
    if (!lacking.empty()) what += "it lacks " + named(lacking, "gene") + " of the model";
    if (!foreign.empty()) {
      what += (lacking.empty() ? "it has " : ", and has ") + named(foreign, "gene") +
              " that the model lacks";
    }
    if (lacking.empty()) what += "; --match-genes maps by name and leaves these out";
  }
  what += "; gene " + std::to_string(own - model.genes.begin() + 1);
  throw InputError(sides.file, kGenes,
                   expected_got(what, own == model.genes.end() ? "none" : *own,
                                other == data.genes.end() ? "none" : *other));
}

/// Reorders the genes of the data set to the model's order.
void match_genes(const ModelInputs& model, const std::vector<std::string>& held,
                 const ModelAndData& sides, Dataset* data) {
  const NameIndex rows = index_names(held);
  const std::vector<std::string> lacking = missing(model.genes, rows);
  if (!lacking.empty()) {
    throw InputError(sides.file, kGenes,
                     "--match-genes: the data set " + sides.data + " lacks " +
                         named(lacking, "gene") + " of the model's " +
                         std::to_string(model.genes.size()));
  }
  const std::vector<std::string> foreign = missing(held, index_names(model.genes));
  std::vector<std::int32_t> order;
  for (const std::string& gene : model.genes) order.push_back(rows.at(gene));
  const std::int64_t dropped = data->choose_genes(order);
  std::string line = sides.data + ": genes are brought into the order of " + sides.file;
  if (!foreign.empty()) {
    line += "; left out: " + named(foreign, "gene") + " that the model lacks, with their " +
            number_of(dropped, "pair");
  }
  note(line);
}

/// Throws InputError if bins, assembly or embeddings differ; if that is allowed, prints a warning.
void compare_parts(const ModelInputs& model, const ModelInputs& data, const ModelAndData& sides,
                   bool allowed) {
  const auto [wanted, held] = compared_parts(model, data);
  const auto compared = [](const Part& part) {
    return part.name == "assembly" ? ucsc_assembly(part.text) : part.text;
  };
  std::vector<std::size_t> differing;
  std::vector<std::string> names, texts;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (compared(wanted[i]) == compared(held[i])) continue;
    differing.push_back(i);
    names.push_back(held[i].name);
    texts.push_back(expected_got(held[i].name, wanted[i].text, held[i].text));
  }
  if (differing.empty()) return;
  if (!allowed) {
    const std::size_t first = differing.front();
    const std::string others = joined(std::span(names).subspan(1), ", ");
    throw InputError(sides.file, names.front(),
                     expected_got("differs in the data set " + sides.data +
                                      (others.empty() ? "" : ", and so do " + others) +
                                      "; give --other-inputs to continue anyway",
                                  wanted[first].text, held[first].text));
  }
  warn(sides.file + ": the data set " + sides.data +
       " is not what the model was trained beside: " + joined(texts, ", "));
}

/// Returns a digest of a split's pairs by name, independent of their order and effects.
std::string digest_of_pairs(const Dataset& data, Split split) {
  std::vector<std::string> lines;
  for (const Pair& pair : data.pairs_of(split)) {
    std::string line = enhancer_of(data, pair).name + '\t' + gene_of(data, pair);
    if (!data.samples.empty()) line += '\t' + sample_of(data, pair);
    lines.push_back(line + '\n');
  }
  std::sort(lines.begin(), lines.end());
  return digest_of(joined(lines, ""));
}

}  // namespace

ModelInputs model_inputs_of(const Dataset& data) {
  Digest rna;
  add_rna(data, &rna);
  ModelInputs out{
      {},
      data.bins,
      data.bin_bp,
      escape_bytes(data.assembly),
      rna.hex(),
      digest_of(data.protein),
      data.gene_starts.empty() ? "" : digest_of(gene_table_text(data.gene_starts, data.genes)),
      digest_of_pairs(data, Split::kTrain),
      digest_of_pairs(data, Split::kVal),
      data.use,
      data.use.fold == 0 ? 0 : data.folds};
  for (const std::string& gene : data.genes) out.genes.push_back(escape_bytes(gene));
  return out;
}

std::map<std::string, std::string> inputs_metadata(const ModelInputs& inputs) {
  std::map<std::string, std::string> out;
  if (!inputs.genes.empty()) out[kGenes] = joined(inputs.genes, "\n");
  for (const Part& part : parts_of(inputs)) out[part.name] = part.text;
  if (!inputs.gene_starts.empty()) out[kGeneStarts] = inputs.gene_starts;
  if (!inputs.train_pairs.empty()) out[kTrainPairs] = inputs.train_pairs;
  if (!inputs.val_pairs.empty()) out[kValPairs] = inputs.val_pairs;
  const PairUse& use = inputs.use;
  if (use.fold != 0) {
    out[kFold] = std::to_string(use.fold) + " of " + std::to_string(inputs.folds);
  }
  if (use.train_share < 1) {
    out[kTrainShare] = format_number(use.train_share) + " by seed " + std::to_string(use.seed);
  }
  return out;
}

std::optional<ModelInputs> read_model_inputs(const TensorFile& file, std::int64_t genes) {
  const std::vector<Part> parts = parts_of({});
  const bool any = records(file, kGenes) ||
                   std::any_of(parts.begin(), parts.end(),
                               [&](const Part& part) { return records(file, part.name); });
  if (!any) return std::nullopt;
  const bool pairs = has_pairs(file);
  std::int64_t folds = 0;
  const PairUse use = recorded_use(file, &folds);
  return ModelInputs{read_genes(file, genes),
                     read_integer(file, "bins"),
                     read_integer(file, "bin_bp"),
                     entry(file, "assembly"),
                     read_digest(file, "rna"),
                     read_digest(file, "protein"),
                     records(file, kGeneStarts) ? read_digest(file, kGeneStarts) : "",
                     pairs ? read_digest(file, kTrainPairs) : "",
                     pairs ? read_digest(file, kValPairs) : "",
                     use,
                     folds};
}

PairUse pair_use(const TensorFile& file, const ModelOverrides& overrides, const Dataset& data) {
  std::int64_t folds = 0;
  const PairUse out = recorded_use(file, &folds);
  if (overrides.fold != 0 && overrides.fold != out.fold) return {overrides.fold, 1, 0};
  if (folds != 0 && folds != data.folds) return {};
  return out;
}

void fit_to_model(const TensorFile& reader, const CdtConfig& config, const ModelOverrides& choice,
                  Dataset* data) {
  const ModelAndData sides{reader.path().string(), data->directory.string()};
  const std::optional<ModelInputs> model = read_model_inputs(reader, config.genes);
  check_sizes(config, *data, sides, !model);
  if (!model) {
    if (choice.match_genes) {
      throw InputError(sides.file, kGenes,
                       "--match-genes: the file does not record the model's genes by name");
    }
    warn(sides.file + ": genes, bins, assembly and embeddings are not recorded; whether those of " +
         "the data set " + sides.data +
         " are the same, and in the same order, could not be checked");
    return;
  }
  ModelInputs held = model_inputs_of(*data);
  if (choice.match_genes && held.genes != model->genes) {
    match_genes(*model, held.genes, sides, data);
    held = model_inputs_of(*data);
  }
  check_genes(*model, held, sides);
  compare_parts(*model, held, sides, choice.other_inputs);
}

void check_gene_inputs(const CdtConfig& config, const Dataset& data) {
  const auto fail = [&](const char* key, const char* what) {
    throw InputError((data.directory / kManifestName).string(), key, what);
  };
  if (config.gene_position && data.gene_starts.empty()) {
    fail(kGeneStarts, "missing; a model with gene positions needs the starts of genes");
  }
  if (!config.gene_window) return;
  if (!data.samples.empty()) {
    fail("rna.samples", "RNA of samples and gene windows do not go together");
  }
  if (!data.has_dna_gene()) {
    fail("dna_gene", "missing; a model with gene windows reads the DNA at each gene's start");
  }
}

TrainedHere trained_here(const TensorFile& file, const Dataset& data) {
  if (!has_pairs(file)) return TrainedHere::kUnknown;
  const bool same = read_digest(file, kTrainPairs) == digest_of_pairs(data, Split::kTrain) &&
                    read_digest(file, kValPairs) == digest_of_pairs(data, Split::kVal);
  return same ? TrainedHere::kYes : TrainedHere::kNo;
}

}  // namespace cdt
