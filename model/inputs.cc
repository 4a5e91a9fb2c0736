#include "model/inputs.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/text.h"
#include "io/genome/assembly.h"

namespace cdt {
namespace {

constexpr std::int64_t kSampledBytes = std::int64_t{256} << 20;  // of DNA, in a digest
constexpr std::int64_t kSampledRows = 16;                        // or these, if more
constexpr std::int64_t kMostBins = std::int64_t{1} << 32U;
constexpr std::size_t kLongestName = 1024;  // of a gene list's 256 bytes, each escaped
constexpr const char* kGenes = "genes";
constexpr const char* kTrainPairs = "train_pairs";
constexpr const char* kValPairs = "val_pairs";

/// The recorded parts beside the genes.
constexpr std::array<const char*, 5> kParts = {"bins", "bin_bp", "assembly", "rna", "protein"};

/// One part as the metadata has it.
std::string part_text(const ModelInputs& inputs, const std::string& part) {
  if (part == "bins") return std::to_string(inputs.bins);
  if (part == "bin_bp") return std::to_string(inputs.bin_bp);
  if (part == "assembly") return inputs.assembly;
  return part == "rna" ? inputs.rna : inputs.protein;
}

/// The metadata of one file, complaints naming it.
class Metadata {
 public:
  explicit Metadata(const SafetensorsReader& reader) : reader_(reader) {}

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError(reader_.path().string(), "metadata." + key, what);
  }
  bool has(const std::string& key) const { return reader_.metadata().count(key) > 0; }
  const std::string& text(const std::string& key) const {
    const auto found = reader_.metadata().find(key);
    if (found == reader_.metadata().end()) fail(key, "is missing, though others are there");
    return found->second;
  }
  std::int64_t integer(const std::string& key, std::int64_t most) const {
    std::int64_t value = 0;
    if (!parse_int64(text(key), &value) || value < 1 || value > most) {
      fail(key, expected_got("out of range", "1 to " + std::to_string(most), text(key)));
    }
    return value;
  }
  std::string digest(const std::string& key) const {
    if (!Digest::is_hex(text(key))) {
      fail(key, expected_got("is no digest", "16 hexadecimal digits", text(key)));
    }
    return text(key);
  }
  /// Whether the file records the pairs: both digests or neither.
  bool has_pairs() const { return has(kTrainPairs) || has(kValPairs); }
  std::vector<std::string> genes(std::int64_t count) const {
    const std::vector<std::string_view> lines = split(text(kGenes), '\n');
    if (static_cast<std::int64_t>(lines.size()) != count) {
      fail(kGenes, expected_got("number of names differs from the model's genes",
                                std::to_string(count), std::to_string(lines.size())));
    }
    std::vector<std::string> out;
    std::set<std::string_view> seen;
    for (const std::string_view line : lines) {
      const std::string where = "gene " + std::to_string(out.size() + 1);
      if (line.empty() || line.size() > kLongestName) {
        fail(kGenes,
             expected_got(where, "a name of 1 to " + std::to_string(kLongestName) + " bytes",
                          std::to_string(line.size()) + " bytes"));
      }
      if (!seen.insert(line).second) fail(kGenes, where + " is there twice: " + std::string(line));
      out.emplace_back(line);
    }
    return out;
  }

 private:
  const SafetensorsReader& reader_;
};

/// A model and a data set as complaints name them.
struct ModelAndData {
  std::string file;  // of the model
  std::string data;  // the directory
};

[[noreturn]] void refuse_data(const ModelAndData& sides, const std::string& field,
                              const std::string& what, const std::string& expected,
                              const std::string& got) {
  throw InputError(sides.file, field, expected_got(what, expected, got));
}

void check_sizes(const CdtConfig& config, const Dataset& data, const ModelAndData& sides,
                 bool check_genes) {
  const std::array<std::pair<const char*, std::pair<std::int64_t, std::int64_t>>, 4> sizes = {
      {{"dna_dim", {config.dna_dim, data.dna_dim}},
       {"rna_dim", {config.rna_dim, data.rna_dim}},
       {"protein_dim", {config.protein_dim, data.protein_dim}},
       {kGenes, {config.genes, check_genes ? data.genes_count() : config.genes}}}};
  for (const auto& [name, size] : sizes) {
    if (size.first == size.second) continue;
    refuse_data(sides, name, "does not fit the data set " + sides.data, std::to_string(size.first),
                std::to_string(size.second));
  }
}

using Rows = std::unordered_map<std::string, std::int32_t>;

Rows index_of(const std::vector<std::string>& genes) {
  Rows out;
  std::int32_t row = 0;
  for (const std::string& gene : genes) out.emplace(gene, row++);
  return out;
}

/// The genes of `a` that `b` lacks.
std::vector<std::string> missing(const std::vector<std::string>& a, const Rows& b) {
  std::vector<std::string> out = a;
  std::erase_if(out, [&](const std::string& gene) { return b.count(gene) > 0; });
  return out;
}

/// Refuses genes that are not those of the model, place by place.
void check_genes(const ModelInputs& model, const ModelInputs& data, const ModelAndData& sides) {
  if (model.genes == data.genes) return;
  const std::vector<std::string> lacking = missing(model.genes, index_of(data.genes));
  const std::vector<std::string> foreign = missing(data.genes, index_of(model.genes));
  std::size_t first = 0;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < std::min(model.genes.size(), data.genes.size()); ++i) {
    if (model.genes[i] == data.genes[i]) continue;
    if (moved++ == 0) first = i;
  }
  if (moved == 0) first = std::min(model.genes.size(), data.genes.size());
  std::string what = "are not those of the data set " + sides.data + " in its order: ";
  if (lacking.empty() && foreign.empty()) {
    what += std::to_string(moved) + " of " + std::to_string(model.genes.size()) +
            " stand elsewhere; --match-genes maps them by name; gene " + std::to_string(first + 1);
  } else {
    if (!lacking.empty()) what += "it lacks " + named(lacking, "gene") + " of the model";
    if (!foreign.empty()) {
      what += (lacking.empty() ? "it has " : ", and has ") + named(foreign, "gene") +
              " that the model lacks";
    }
    if (lacking.empty()) what += "; --match-genes maps by name and leaves these out";
    what += "; gene " + std::to_string(first + 1);
  }
  const auto at = [first](const std::vector<std::string>& genes) {
    return first < genes.size() ? genes[first] : std::string("none");
  };
  refuse_data(sides, kGenes, what, at(model.genes), at(data.genes));
}

/// Brings the genes of the data set into the model's order.
void match_genes(const ModelInputs& model, const std::vector<std::string>& held,
                 const ModelAndData& sides, Dataset* data) {
  const Rows rows = index_of(held);
  const std::vector<std::string> lacking = missing(model.genes, rows);
  if (!lacking.empty()) {
    throw InputError(sides.file, kGenes,
                     "--match-genes: the data set " + sides.data + " lacks " +
                         named(lacking, "gene") + " of the model's " +
                         std::to_string(model.genes.size()));
  }
  const std::vector<std::string> foreign = missing(held, index_of(model.genes));
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

/// Refuses other bins, assembly or embeddings, or says what differs.
void compare_parts(const ModelInputs& model, const ModelInputs& data, const ModelAndData& sides,
                   bool allowed) {
  std::vector<std::string> parts;
  for (const std::string part : kParts) {
    const bool same = part == "assembly"
                          ? ucsc_assembly(model.assembly) == ucsc_assembly(data.assembly)
                          : part_text(model, part) == part_text(data, part);
    if (!same) parts.push_back(part);
  }
  if (parts.empty()) return;
  if (!allowed) {
    std::string others;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      others += (i == 1 ? ", and so do " : ", ") + parts[i];
    }
    refuse_data(
        sides, parts[0],
        "differs in the data set " + sides.data + others + "; --other-inputs goes on all the same",
        part_text(model, parts[0]), part_text(data, parts[0]));
  }
  std::string differing;
  for (const std::string& part : parts) {
    differing += (differing.empty() ? "" : ", ") + part + " (expected " + part_text(model, part) +
                 ", got " + part_text(data, part) + ")";
  }
  warn(sides.file + ": the data set " + sides.data +
       " is not what the model was trained beside: " + differing);
}

/// Digest of the pairs of a split by name, whatever their order and their effects.
std::string digest_of_pairs(const Dataset& data, Split split) {
  std::vector<std::string> lines;
  for (const Pair& pair : data.pairs_of(split)) {
    lines.push_back(data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + '\t' +
                    data.genes[static_cast<std::size_t>(pair.gene)] + '\n');
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return digest_of(all);
}

}  // namespace

ModelInputs model_inputs_of(const Dataset& data) {
  ModelInputs out{{},
                  data.bins,
                  data.bin_bp,
                  escape_bytes(data.assembly),
                  digest_of(data.rna),
                  digest_of(data.protein),
                  digest_of_pairs(data, Split::kTrain),
                  digest_of_pairs(data, Split::kVal)};
  for (const std::string& gene : data.genes) out.genes.push_back(escape_bytes(gene));
  return out;
}

std::map<std::string, std::string> inputs_metadata(const ModelInputs& inputs) {
  std::map<std::string, std::string> out;
  for (const std::string& gene : inputs.genes) {
    std::string& text = out[kGenes];
    text += (text.empty() ? "" : "\n") + gene;
  }
  for (const char* part : kParts) out[part] = part_text(inputs, part);
  if (!inputs.train_pairs.empty()) out[kTrainPairs] = inputs.train_pairs;
  if (!inputs.val_pairs.empty()) out[kValPairs] = inputs.val_pairs;
  return out;
}

std::optional<ModelInputs> read_model_inputs(const SafetensorsReader& reader, std::int64_t genes) {
  const Metadata metadata(reader);
  const bool any =
      metadata.has(kGenes) || std::any_of(kParts.begin(), kParts.end(),
                                          [&](const char* part) { return metadata.has(part); });
  if (!any || !metadata.has("format")) return std::nullopt;
  const bool pairs = metadata.has_pairs();
  return ModelInputs{metadata.genes(genes),
                     metadata.integer("bins", kMostBins),
                     metadata.integer("bin_bp", kMostBins),
                     metadata.text("assembly"),
                     metadata.digest("rna"),
                     metadata.digest("protein"),
                     pairs ? metadata.digest(kTrainPairs) : "",
                     pairs ? metadata.digest(kValPairs) : ""};
}

void fit_to_model(const SafetensorsReader& reader, const CdtConfig& config,
                  const ModelOverrides& choice, Dataset* data) {
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

TrainedHere trained_here(const SafetensorsReader& file, const Dataset& data) {
  const Metadata metadata(file);
  if (!metadata.has("format") || !metadata.has_pairs()) return TrainedHere::kUnknown;
  const bool same = metadata.digest(kTrainPairs) == digest_of_pairs(data, Split::kTrain) &&
                    metadata.digest(kValPairs) == digest_of_pairs(data, Split::kVal);
  return same ? TrainedHere::kYes : TrainedHere::kNo;
}

std::string digest_of_data(const Dataset& data) {
  Digest digest;
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
            std::to_string(pair.gene) + '\t' + format_number(pair.beta) + '\n';
  }
  digest.add(std::string_view(text));
  digest.add(data.rna);
  digest.add(data.protein);
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  const auto row_bytes = static_cast<std::int64_t>(row.size() * sizeof(float));
  const std::int64_t rows =
      std::min(std::max(kSampledBytes / row_bytes, kSampledRows), data.enhancers_count());
  for (std::int64_t i = 0; i < rows; ++i) {
    try {
      data.read_dna(static_cast<std::int32_t>(i * data.enhancers_count() / rows), row.data());
      digest.add(row);
    } catch (const InputError&) {  // a value that is not finite: who needs the row complains
      digest.add(static_cast<std::uint64_t>(i));
    }
  }
  return digest.hex();
}

Dataset open_dataset_for(const std::filesystem::path& directory, const SafetensorsReader& reader,
                         const CdtConfig& config, const ModelOverrides& choice,
                         std::string* digest) {
  Dataset data(directory);
  *digest = digest_of_data(data);
  fit_to_model(reader, config, choice, &data);
  return data;
}

}  // namespace cdt
