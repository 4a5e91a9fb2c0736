#include "io/annotations.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "io/assembly.h"
#include "io/bed.h"
#include "io/gzip.h"
#include "io/path_text.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr std::size_t kFileLimit = std::size_t{4} << 30U;
constexpr std::size_t kOneClass = 0;  // no class column

std::string stem_of(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  for (const char* extension : {".gz", ".bgz", ".txt", ".bed", ".narrowPeak", ".broadPeak"}) {
    if (name.extension() == extension) name = name.stem();
  }
  return path_text(name);
}

bool is_strand(std::string_view text) { return text == "+" || text == "-" || text == "."; }

/// Which column (from 1) holds the class, as the first line shows.
std::size_t class_column(const std::vector<std::string_view>& fields) {
  double number = 0.0;
  if (fields.size() >= 10 && fields[9] != "." && !parse_double(fields[9], &number)) return 10;
  if (fields.size() == 6 && !is_strand(fields[5])) return 6;
  return kOneClass;
}

/// "pELS,CTCF-bound" is two classes.
std::set<std::string> classes_in_list(std::string_view label) {
  std::set<std::string> out;
  for (const std::string_view name : split(label, ',')) {
    if (!name.empty()) out.emplace(name);
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : lines_(path.string(), read_text_or_gzip(path, kFileLimit)) {
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
      throw InputError(lines_.file(), "elements", expected_got("none", "a BED file", "no line"));
    }
    for (auto& [chrom, list] : out_.chromosomes) list.finish();
    name_classes();
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
    if (out_.elements++ == 0) class_column_ = class_column(fields);
    BedInterval interval = parse_bed(lines_, fields, std::max<std::size_t>(3, class_column_));
    const std::string_view label =
        class_column_ == kOneClass ? std::string_view(out_.name) : fields[class_column_ - 1];
    out_.chromosomes[interval.chrom].add(
        {interval.start, interval.end, std::move(interval.name), label_index(label)});
  }

  std::size_t label_index(std::string_view label) {
    const auto [at, fresh] = labels_.emplace(label, out_.labels.size());
    if (!fresh) return at->second;
    if (class_column_ != kOneClass && classes_in_list(label).empty()) {
      throw InputError(lines_.file(), lines_.where() + ", column " + std::to_string(class_column_),
                       "the class is empty");
    }
    out_.labels.emplace_back(label);
    return at->second;
  }

  /// A file that is one class may have commas in its name.
  std::set<std::string> classes_in(const std::string& label) const {
    return class_column_ == kOneClass ? std::set{label} : classes_in_list(label);
  }

  void name_classes() {
    std::set<std::string> names;
    for (const std::string& label : out_.labels) names.merge(classes_in(label));
    out_.classes.assign(names.begin(), names.end());
    for (const std::string& label : out_.labels) {
      std::vector<std::size_t> indices;
      for (const std::string& name : classes_in(label)) {
        indices.push_back(static_cast<std::size_t>(std::distance(names.begin(), names.find(name))));
      }
      out_.classes_of_label.push_back(std::move(indices));
    }
  }

  LineFile lines_;
  std::size_t class_column_ = kOneClass;
  std::unordered_map<std::string, std::size_t> labels_;
  Annotations out_;
};

std::int64_t shared(const Element& e, std::int64_t start, std::int64_t end) {
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
}

std::size_t ElementList::first_past(std::int64_t position) const {
  const auto at =
      std::partition_point(furthest_.begin(), furthest_.end(),
                           [&](std::size_t element) { return elements_[element].end <= position; });
  return static_cast<std::size_t>(at - furthest_.begin());
}

std::vector<const Element*> ElementList::overlapping(std::int64_t start, std::int64_t end) const {
  std::vector<const Element*> out;
  for (std::size_t i = first_past(start); i < elements_.size() && elements_[i].start < end; ++i) {
    if (elements_[i].end > start) out.push_back(&elements_[i]);
  }
  return out;
}

const Element* ElementList::nearest(std::int64_t start, std::int64_t end) const {
  const Element* best = nullptr;
  for (const Element* e : overlapping(start, end)) {
    if (best == nullptr || shared(*e, start, end) > shared(*best, start, end)) best = e;
  }
  if (best != nullptr) return best;
  // Nothing shares a base: all that end before come first, the rest begins past the interval.
  const std::size_t after = first_past(start);
  const Element* left = after == 0 ? nullptr : &elements_[furthest_[after - 1]];
  const Element* right = after == elements_.size() ? nullptr : &elements_[after];
  if (left == nullptr || right == nullptr) return left == nullptr ? right : left;
  return start - left->end <= right->start - end ? left : right;
}

Annotations read_annotations(const std::filesystem::path& path) { return Reader(path).read(); }

std::int64_t distance_to(const Element& element, std::int64_t start, std::int64_t end) {
  if (shared(element, start, end) > 0) return 0;
  return element.start >= end ? element.start - end + 1 : element.end - start - 1;
}

}  // namespace cdt
