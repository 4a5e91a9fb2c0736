#include "apps/attribute/choice.h"

#include <algorithm>
#include <bit>
#include <compare>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>

#include "apps/common/session.h"
#include "engine/error.h"
#include "engine/random.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr std::uint32_t kSampleStream = 0x5A3B;

struct Names {
  std::int32_t enhancer = 0, gene = 0, sample = 0;
  friend auto operator<=>(const Names&, const Names&) = default;
};

Names names_of(const Pair& pair) { return {pair.enhancer, pair.gene, pair.sample}; }

/// Beta of each pair of the data set; for a repeated pair, the first.
std::map<Names, float> known_betas(const Dataset& data) {
  std::map<Names, float> out;
  for (const Pair& p : data.pairs) out.insert({names_of(p), p.beta});
  return out;
}

/// Splits "ENHANCER:GENE". Enhancer names may contain colons, so the last split at which both names
/// are known counts.
Names parse_unsampled(const std::string& text, const Dataset& data) {
  for (std::size_t colon = text.rfind(':'); colon != std::string::npos && colon > 0;
       colon = text.rfind(':', colon - 1)) {
    const std::int32_t enhancer = data.find_enhancer(text.substr(0, colon));
    const std::int32_t gene = data.find_gene(text.substr(colon + 1));
    if (enhancer >= 0 && gene >= 0) return {enhancer, gene};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    throw InputError(kCommandLine, "--pair", expected_got("not a pair", "ENHANCER:GENE", text));
  }
  const bool enhancer_known = data.find_enhancer(text.substr(0, colon)) >= 0;
  throw InputError(kCommandLine, "--pair",
                   enhancer_known
                       ? "no gene named " + text.substr(colon + 1) + " in the data set"
                       : "no enhancer named " + text.substr(0, colon) + " in the data set");
}

/// Splits "ENHANCER:GENE" or, with samples, "ENHANCER:GENE:SAMPLE".
Names parse_pair(const std::string& text, const Dataset& data) {
  if (data.samples.empty()) return parse_unsampled(text, data);
  const NameIndex samples = index_names(data.samples);
  for (std::size_t colon = text.rfind(':'); colon != std::string::npos && colon > 0;
       colon = text.rfind(':', colon - 1)) {
    const auto found = samples.find(text.substr(colon + 1));
    if (found == samples.end()) continue;
    Names out = parse_unsampled(text.substr(0, colon), data);
    out.sample = found->second;
    return out;
  }
  throw InputError(
      kCommandLine, "--pair",
      expected_got("does not end in a sample of the data set", "ENHANCER:GENE:SAMPLE", text));
}

void add_file(const std::filesystem::path& path, const Dataset& data, std::vector<Names>* out) {
  std::vector<std::string> columns{"enhancer", "gene"};
  if (!data.samples.empty()) columns.emplace_back("sample");
  const NameIndex samples = index_names(data.samples);
  TsvFile file(path, columns);
  while (file.next()) {
    const std::int32_t enhancer = data.find_enhancer(std::string(file.field(0)));
    const std::int32_t gene = data.find_gene(std::string(file.field(1)));
    if (enhancer < 0) file.fail(0, "no enhancer named " + std::string(file.field(0)));
    if (gene < 0) file.fail(1, "no gene named " + std::string(file.field(1)));
    std::int32_t sample = 0;
    if (!samples.empty()) {
      const auto found = samples.find(std::string(file.field(2)));
      if (found == samples.end()) file.fail(2, "no sample named " + std::string(file.field(2)));
      sample = found->second;
    }
    out->push_back({enhancer, gene, sample});
  }
}

Pair named_pair(const Names& names, const std::map<Names, float>& betas) {
  const auto beta = betas.find(names);
  const float missing = std::numeric_limits<float>::quiet_NaN();
  return {.enhancer = names.enhancer,
          .gene = names.gene,
          .beta = beta == betas.end() ? missing : beta->second,
          .sample = names.sample};
}

/// RandomState's integer in [0, most]: 32-bit words, masked to the bits of `most`, until one fits.
std::size_t interval(std::mt19937& words, std::uint32_t most) {
  const int bits = std::bit_width(most);
  const std::uint32_t mask = bits == 0 ? 0U : 0xFFFFFFFFU >> static_cast<unsigned>(32 - bits);
  std::uint32_t drawn = words() & mask;
  while (drawn > most) drawn = words() & mask;
  return drawn;
}

/// Draws `count` of n indices without replacement, ascending: the front of a Fisher-Yates shuffle.
std::vector<std::size_t> philox_choice(std::uint64_t seed, std::size_t n, std::size_t count) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  RandomStream random(seed, kSampleStream);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + static_cast<std::size_t>(random.below(n - i))]);
  }
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

/// Indices of a sample of n pairs.
std::vector<std::size_t> sample(const PairChoice& choice, std::size_t n) {
  const auto count = static_cast<std::size_t>(choice.sample);
  if (!choice.numpy_legacy) return philox_choice(choice.seed, n, count);
  if (choice.seed > 0xFFFFFFFFU) {
    throw InputError(kCommandLine, "--seed",
                     expected_got("NumPy's legacy generator takes 32 bits", "at most 4294967295",
                                  std::to_string(choice.seed)));
  }
  return numpy_legacy_choice(static_cast<std::uint32_t>(choice.seed), n, count);
}

/// Pairs each enhancer with every gene, in the order of the data set; with samples, in each sample
/// in which it is chosen.
std::vector<Pair> with_all_genes(const std::vector<Pair>& pairs, const Dataset& data,
                                 const std::map<Names, float>& betas) {
  std::vector<Pair> out;
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (const Pair& p : pairs) {
    if (!seen.emplace(p.enhancer, p.sample).second) continue;
    for (std::int32_t gene = 0; gene < static_cast<std::int32_t>(data.genes_count()); ++gene) {
      out.push_back(named_pair({p.enhancer, gene, p.sample}, betas));
    }
  }
  return out;
}

std::vector<Pair> pairs_of_split(const PairChoice& choice, const Dataset& data) {
  std::vector<Pair> pairs = data.pairs_of(split_named(choice.split));
  const auto size = std::ssize(pairs);
  if (choice.sample > size) {
    throw InputError(
        kCommandLine, "--sample",
        expected_got("split " + choice.split + " is smaller", "at most " + std::to_string(size),
                     std::to_string(choice.sample)));
  }
  if (choice.sample == 0) return pairs;
  std::vector<Pair> out;
  for (const std::size_t i : sample(choice, pairs.size())) out.push_back(pairs[i]);
  return out;
}

/// Reorders the pairs so that those of one enhancer are adjacent, and of these those of one sample.
std::vector<Pair> grouped(const std::vector<Pair>& pairs) {
  std::unordered_map<std::int32_t, std::size_t> group_of;
  std::vector<std::vector<Pair>> groups;
  for (const Pair& p : pairs) {
    const auto [group, is_new] = group_of.insert({p.enhancer, groups.size()});
    if (is_new) groups.emplace_back();
    groups[group->second].push_back(p);
  }
  std::vector<Pair> out;
  for (auto& group : groups) {
    std::stable_sort(group.begin(), group.end(),
                     [](const Pair& a, const Pair& b) { return a.sample < b.sample; });
    out.insert(out.end(), group.begin(), group.end());
  }
  return out;
}

}  // namespace

std::vector<std::size_t> numpy_legacy_choice(std::uint32_t seed, std::size_t n, std::size_t count) {
  CDT_CHECK(count <= n && n <= 0xFFFFFFFFU, "a sample is no larger than what it is drawn from");
  // NumPy and std::mt19937 expand the seed alike: Knuth's scheme, as in the MT19937 authors' code.
  std::mt19937 words(seed);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i-- > 1;) {
    std::swap(order[i], order[interval(words, static_cast<std::uint32_t>(i))]);
  }
  order.resize(count);
  return order;
}

std::vector<Pair> choose_pairs(const PairChoice& choice, const Dataset& data) {
  if (choice.sample > 0 && choice.split.empty()) {
    throw InputError(kCommandLine, "--sample", "draws from a split: give --split too");
  }
  std::vector<Names> named;
  for (const std::string& text : choice.pairs) named.push_back(parse_pair(text, data));
  if (!choice.file.empty()) add_file(choice.file, data, &named);
  std::vector<Pair> pairs;
  std::set<Names> seen;
  const std::map<Names, float> betas = known_betas(data);
  for (const Names& names : named) {
    if (seen.insert(names).second) pairs.push_back(named_pair(names, betas));
  }
  if (!choice.split.empty()) {
    for (const Pair& p : pairs_of_split(choice, data)) {
      if (seen.count(names_of(p)) == 0) pairs.push_back(p);
    }
  }
  if (pairs.empty()) {
    if (!choice.file.empty()) {
      throw InputError(choice.file.string(), "rows", "there is not one pair");
    }
    throw InputError(kCommandLine, "pairs", "none chosen: give --pair, --pairs or --split");
  }
  return grouped(choice.all_genes ? with_all_genes(pairs, data, betas) : pairs);
}

}  // namespace cdt
