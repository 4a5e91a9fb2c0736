#include "io/genome/assembly.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/error.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::array<Chromosome, 25> kHg19{{
    {"chr1", 249250621},  {"chr10", 135534747}, {"chr11", 135006516}, {"chr12", 133851895},
    {"chr13", 115169878}, {"chr14", 107349540}, {"chr15", 102531392}, {"chr16", 90354753},
    {"chr17", 81195210},  {"chr18", 78077248},  {"chr19", 59128983},  {"chr2", 243199373},
    {"chr20", 63025520},  {"chr21", 48129895},  {"chr22", 51304566},  {"chr3", 198022430},
    {"chr4", 191154276},  {"chr5", 180915260},  {"chr6", 171115067},  {"chr7", 159138663},
    {"chr8", 146364022},  {"chr9", 141213431},  {"chrM", 16571},      {"chrX", 155270560},
    {"chrY", 59373566},
}};

constexpr std::array<Chromosome, 25> kHg38{{
    {"chr1", 248956422},  {"chr10", 133797422}, {"chr11", 135086622}, {"chr12", 133275309},
    {"chr13", 114364328}, {"chr14", 107043718}, {"chr15", 101991189}, {"chr16", 90338345},
    {"chr17", 83257441},  {"chr18", 80373285},  {"chr19", 58617616},  {"chr2", 242193529},
    {"chr20", 64444167},  {"chr21", 46709983},  {"chr22", 50818468},  {"chr3", 198295559},
    {"chr4", 190214555},  {"chr5", 181538259},  {"chr6", 170805979},  {"chr7", 159345973},
    {"chr8", 145138636},  {"chr9", 138394717},  {"chrM", 16569},      {"chrX", 156040895},
    {"chrY", 57227415},
}};

struct Name {
  std::string_view lower_case;
  std::string_view ucsc;
};

constexpr std::array<Name, 15> kNames{{
    {"hg18", "hg18"},
    {"hg19", "hg19"},
    {"hg38", "hg38"},
    {"hs1", "hs1"},
    {"mm9", "mm9"},
    {"mm10", "mm10"},
    {"mm39", "mm39"},
    {"ncbi36", "hg18"},
    {"grch37", "hg19"},
    {"hs37d5", "hg19"},
    {"grch38", "hg38"},
    {"t2t-chm13", "hs1"},
    {"ncbi37", "mm9"},
    {"grcm38", "mm10"},
    {"grcm39", "mm39"},
}};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// Whether `text` contains `word` with no letter or digit before it and no digit after it.
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const bool ends =
        end == text.size() || std::isdigit(static_cast<unsigned char>(text[end])) == 0;
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

std::span<const Chromosome> chromosomes_of(std::string_view assembly) {
  const std::string name = ucsc_assembly(assembly);
  if (name == "hg19") return kHg19;
  if (name == "hg38") return kHg38;
  return {};
}

ChromosomeSizes::ChromosomeSizes(std::string_view assembly) {
  const std::span<const Chromosome> known = chromosomes_of(assembly);
  all_.assign(known.begin(), known.end());
}

ChromosomeSizes::ChromosomeSizes(std::string_view assembly, const std::filesystem::path& file) {
  constexpr std::int64_t kMostBases = 0xFFFFFFFF;  // bigWig files have 32-bit positions
  const ChromosomeSizes known(assembly);
  LineFile lines(file);
  const auto fail = [&](const std::string& what) {
    throw InputError(lines.file(), lines.where(), what);
  };
  std::string_view line;
  while (lines.next(&line)) {
    const std::vector<std::string_view> fields = split(line, '\t');
    if (fields.size() != 2) {
      fail(expected_got("columns", "2 with a tab between", std::to_string(fields.size())));
    }
    const std::string name(fields[0]);
    std::int64_t bases = 0;
    if (name.empty()) fail("a chromosome without a name");
    if (!parse_int64(fields[1], &bases) || bases < 1 || bases > kMostBases) {
      fail(expected_got("size of " + name, "bases, 1 to " + std::to_string(kMostBases), fields[1]));
    }
    if (size(name) != 0) fail(name + " is listed twice");
    if (known.size(name) != 0 && known.size(name) != bases) {
      fail(expected_got("size of " + name,
                        std::to_string(known.size(name)) + " in " + std::string(assembly),
                        std::to_string(bases)));
    }
    names_.push_back(name);
    const auto after = std::upper_bound(
        all_.begin(), all_.end(), names_.back(),
        [](const std::string& wanted, const Chromosome& c) { return wanted < c.name; });
    all_.insert(after, {names_.back(), bases});
  }
  if (all_.empty()) throw InputError(file.string(), "rows", "there are none");
}

std::int64_t ChromosomeSizes::size(std::string_view chrom) const {
  const auto found = std::lower_bound(
      all_.begin(), all_.end(), chrom,
      [](const Chromosome& c, std::string_view wanted) { return c.name < wanted; });
  return found != all_.end() && found->name == chrom ? found->size : 0;
}

std::string ucsc_assembly(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const Name& known : kNames) {
    if (lower == known.lower_case) return std::string(known.ucsc);
  }
  return std::string(name);
}

std::vector<std::string> assemblies_named_in(std::string_view text) {
  const std::string lower = lower_case(text);
  std::vector<std::string> out;
  for (const Name& known : kNames) {
    if (!has_word(lower, known.lower_case)) continue;
    if (std::find(out.begin(), out.end(), known.ucsc) == out.end()) out.emplace_back(known.ucsc);
  }
  return out;
}

}  // namespace cdt
