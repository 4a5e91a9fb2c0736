#include "io/genome/annotations.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "io/genome/assembly.h"
#include "io/genome/locus.h"

namespace cdt {
namespace {

constexpr std::size_t kFileLimit = std::size_t{4} << 30U;
constexpr std::int64_t kMostElements = std::int64_t{1} << 25U;
constexpr std::size_t kMostClasses = 10000;
constexpr std::size_t kOneClass = 0;  // there is no class column
constexpr std::string_view kNoClass = ".";

std::string stem_of(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  for (const char* extension : {".gz", ".bgz", ".txt", ".bed", ".narrowPeak", ".broadPeak"}) {
    if (name.extension() == extension) name = name.stem();
  }
  return path_text(name);
}

bool is_strand(std::string_view text) { return text == "+" || text == "-"; }

/// Column (counting from 1) that holds the class, if this line can tell: "." may be a missing
/// class, a missing strand or a missing number.
std::optional<std::size_t> class_column(const std::vector<std::string_view>& fields) {
  double number = 0.0;
  const std::size_t column = fields.size() >= 10 ? 10 : fields.size() == 6 ? 6 : kOneClass;
  if (column == kOneClass) return kOneClass;
  const std::string_view text = fields[column - 1];
  if (text.empty() || text == kNoClass) return std::nullopt;
  return is_strand(text) || (column == 10 && parse_double(text, &number)) ? kOneClass : column;
}

/// Splits a list of classes: "pELS,CTCF-bound" is two.
std::set<std::string> classes_in_list(std::string_view label) {
  std::set<std::string> out;
  for (const std::string_view name : split(label, ',')) {
    if (!name.empty() && name != kNoClass) out.emplace(name);
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : lines_(lines_of_text_or_gzip(path, kFileLimit)) {
    out_.path = path;
    out_.name = stem_of(path);
    note_assemblies(path.filename().string());
  }

  Annotations read() {
    std::string_view line;
    while (lines_.next(&line)) {
      if (is_bed_comment(line)) {
        note_assemblies(line);
      } else {
        add(line);
      }
    }
    if (out_.elements == 0) {
      const std::string got =
          out_.empty == 0 ? "no line" : std::to_string(out_.empty) + " intervals without a base";
      throw InputError(lines_.file(), "elements", expected_got("none", "a BED file", got));
    }
    for (auto& [chrom, list] : out_.chromosomes) list.finish();
    name_classes();
    count_classless();
    return std::move(out_);
  }

 private:
  void note_assemblies(std::string_view text) {
    for (std::string& name : assemblies_named_in(text)) {
      if (std::find(out_.assemblies.begin(), out_.assemblies.end(), name) ==
          out_.assemblies.end()) {
        out_.assemblies.push_back(std::move(name));
      }
    }
  }

  void add(std::string_view line) {
    const std::vector<std::string_view> fields = split(line, '\t');
    if (!class_column_) class_column_ = class_column(fields);
    const std::size_t column = class_column_.value_or(kOneClass);
    Locus interval = parse_bed(lines_, fields, std::max<std::size_t>(3, column));
    if (interval.start == interval.end) {
      ++out_.empty;
      return;
    }
    if (++out_.elements > kMostElements) {
      throw InputError(lines_.file(), "elements",
                       "more than " + std::to_string(kMostElements) + ", too many to hold");
    }
    const std::string_view label = column == kOneClass ? kNoClass : fields[column - 1];
    out_.chromosomes[interval.chrom].add(
        {interval.start, interval.end, std::move(interval.name), label_index(label)});
  }

  std::size_t label_index(std::string_view label) {
    if (label.find_first_not_of(',') == std::string_view::npos) label = kNoClass;
    const auto [at, fresh] = labels_.emplace(label, out_.labels.size());
    if (fresh) out_.labels.emplace_back(label);
    return at->second;
  }

  bool is_one_class() const { return class_column_.value_or(kOneClass) == kOneClass; }

  /// The name of a file without a class column may contain commas, so it is not split.
  std::set<std::string> classes_in(const std::string& label) const {
    return is_one_class() ? std::set{label} : classes_in_list(label);
  }

  void name_classes() {
    if (is_one_class()) out_.labels.assign(out_.labels.size(), out_.name);
    std::map<std::string, std::size_t> index;  // by class
    for (const std::string& label : out_.labels) {
      for (const std::string& name : classes_in(label)) index.emplace(name, 0);
    }
    if (index.size() > kMostClasses) {
      throw InputError(lines_.file(), "column " + std::to_string(*class_column_),
                       "more than " + std::to_string(kMostClasses) + " classes");
    }
    for (auto& [name, place] : index) {
      place = out_.classes.size();
      out_.classes.push_back(name);
    }
    for (const std::string& label : out_.labels) {
      std::vector<std::size_t> indices;
      for (const std::string& name : classes_in(label)) indices.push_back(index.at(name));
      out_.classes_of_label.push_back(std::move(indices));
    }
  }

  void count_classless() {
    for (const auto& [chrom, list] : out_.chromosomes) {
      for (const Element& e : list.elements()) {
        out_.without_class += out_.classes_of_label[e.label].empty() ? 1 : 0;
      }
    }
  }

  LineFile lines_;
  std::optional<std::size_t> class_column_;  // not set until a line decides it
  std::unordered_map<std::string, std::size_t> labels_;
  Annotations out_;
};

std::int64_t shared_bases(const Element& e, std::int64_t start, std::int64_t end) {
  return std::min(e.end, end) - std::max(e.start, start);
}

}  // namespace

void ElementList::finish() {
  std::stable_sort(elements_.begin(), elements_.end(), [](const Element& a, const Element& b) {
    return std::tie(a.start, a.end) < std::tie(b.start, b.end);
  });
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const bool further = i == 0 || elements_[i].end > elements_[furthest_.back()].end;
    furthest_.push_back(further ? i : furthest_.back());
  }
  reach_.resize(elements_.size());
  build(0, elements_.size());
}

std::int64_t ElementList::build(std::size_t begin, std::size_t end) {
  if (begin == end) return std::numeric_limits<std::int64_t>::min();
  const std::size_t root = begin + (end - begin) / 2;
  reach_[root] = std::max({build(begin, root), elements_[root].end, build(root + 1, end)});
  return reach_[root];
}

/// Collects elements of [begin, end) that overlap `range`. Branches that end before the range are
/// skipped, so one element as long as its chromosome does not make every search linear.
void ElementList::collect(std::size_t begin, std::size_t end, const Element& range,
                          std::vector<const Element*>* out) const {
  if (begin == end) return;
  const std::size_t root = begin + (end - begin) / 2;
  if (reach_[root] <= range.start) return;
  collect(begin, root, range, out);
  const Element& e = elements_[root];
  if (e.start >= range.end) return;
  if (e.end > range.start) out->push_back(&e);
  collect(root + 1, end, range, out);
}

std::size_t ElementList::first_past(std::int64_t position) const {
  const auto at =
      std::partition_point(furthest_.begin(), furthest_.end(),
                           [&](std::size_t element) { return elements_[element].end <= position; });
  return static_cast<std::size_t>(at - furthest_.begin());
}

std::vector<const Element*> ElementList::overlapping(std::int64_t start, std::int64_t end) const {
  std::vector<const Element*> out;
  collect(0, elements_.size(), {start, end, "", 0}, &out);
  return out;
}

const Element* ElementList::nearest(std::int64_t start, std::int64_t end) const {
  const Element* best = nullptr;
  for (const Element* e : overlapping(start, end)) {
    if (best == nullptr || shared_bases(*e, start, end) > shared_bases(*best, start, end)) best = e;
  }
  if (best != nullptr) return best;
  // No element overlaps the interval: all elements up to here end before it, the rest begin after
  // it.
  const std::size_t after = first_past(start);
  const Element* left = after == 0 ? nullptr : &elements_[furthest_[after - 1]];
  const Element* right = after == elements_.size() ? nullptr : &elements_[after];
  if (left == nullptr || right == nullptr) return left == nullptr ? right : left;
  return start - left->end <= right->start - end ? left : right;
}

Annotations read_annotations(const std::filesystem::path& path) { return Reader(path).read(); }

std::int64_t distance_to(const Element& element, std::int64_t start, std::int64_t end) {
  if (shared_bases(element, start, end) > 0) return 0;
  return element.start >= end ? element.start - end + 1 : element.end - start - 1;
}

}  // namespace cdt
