#include "apps/common/annotation_files.h"

#include <cstdint>
#include <set>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

void expect_common_chromosome(const Annotations& annotations, const Dataset& data) {
  for (const Enhancer& e : data.enhancers) {
    if (elements_on(annotations, e.chrom) != nullptr) return;
  }
  throw InputError(annotations.path.string(), "chromosomes",
                   expected_got("none of them has an enhancer of the data set",
                                "names such as " + data.enhancers.front().chrom,
                                annotations.chromosomes.begin()->first));
}

std::int64_t elements_past_end(const Annotations& annotations, const ChromosomeSizes& sizes) {
  std::int64_t count = 0;
  for (const auto& [chrom, list] : annotations.chromosomes) {
    const std::int64_t size = sizes.size(chrom);
    if (size == 0) continue;
    for (const Element& e : list.elements()) count += e.end > size ? 1 : 0;
  }
  return count;
}

}  // namespace

const ElementList* elements_on(const Annotations& annotations, const std::string& chrom) {
  const auto found = annotations.chromosomes.find(chrom);
  return found == annotations.chromosomes.end() ? nullptr : &found->second;
}

std::vector<Annotations> read_annotation_files(const std::vector<std::string>& paths,
                                               const Dataset& data) {
  std::vector<Annotations> out;
  std::set<std::string> names;
  for (const std::string& path : paths) {
    out.push_back(read_annotations(path));
    expect_common_chromosome(out.back(), data);
    if (!names.insert(out.back().name).second) {
      throw InputError(path, "name", "a file of that name was given already: " + out.back().name);
    }
  }
  return out;
}

std::string left_out_text(const Annotations& a) {
  std::string out;
  if (a.empty > 0) {
    out = number_of(a.empty, "interval") + " without a base " + (a.empty == 1 ? "is" : "are") +
          " left out";
  }
  if (a.without_class > 0) {
    out += (out.empty() ? "" : ", ") + std::to_string(a.without_class) + " of " +
           std::to_string(a.elements) + " elements have no class";
  }
  return out.empty() ? out : path_text(a.path) + ": " + out;
}

std::vector<std::string> assembly_doubts(const Annotations& annotations, const Dataset& data,
                                         const ChromosomeSizes& sizes) {
  std::vector<std::string> out;
  const std::string assembly = ucsc_assembly(data.assembly);
  for (const std::string& named : annotations.assemblies) {
    if (assembly.empty() || named == assembly) continue;
    out.push_back(path_text(annotations.path) + ": assembly: the file names " + named +
                  ", the data set is in " + data.assembly);
  }
  const std::int64_t past = elements_past_end(annotations, sizes);
  if (past > 0) {
    out.push_back(path_text(annotations.path) + ": assembly: " + std::to_string(past) +
                  " elements end past their chromosome in " + data.assembly);
  }
  return out;
}

}  // namespace cdt
