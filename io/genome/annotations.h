// Annotated elements of the genome by class, from a BED file (plain or gzip) such as ENCODE
// candidate cis-regulatory elements, CTCF narrowPeak files or any BED file with at least three
// columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cdt {

struct Element {
  std::int64_t start = 0, end = 0;  // 0-based, half-open
  std::string name;                 // "" where the file has three columns
  std::size_t label = 0;            // index into Annotations::labels
};

/// The elements of one chromosome, sorted by start, then end.
class ElementList {
 public:
  void add(Element element) { elements_.push_back(std::move(element)); }
  /// Sorts the elements; call once, after the last add().
  void finish();

  const std::vector<Element>& elements() const { return elements_; }
  /// Elements that share at least one base with [start, end), in order.
  std::vector<const Element*> overlapping(std::int64_t start, std::int64_t end) const;
  /// The element that shares most bases with [start, end), or the nearest one if none does; the
  /// first among ties. Null if there is no element.
  const Element* nearest(std::int64_t start, std::int64_t end) const;

 private:
  /// Index of the first element that ends after `position`, or of an element before it.
  std::size_t first_past(std::int64_t position) const;

  /// Fills reach_ for the tree over elements [begin, end); returns the largest end in it.
  std::int64_t build(std::size_t begin, std::size_t end);
  void collect(std::size_t begin, std::size_t end, const Element& range,
               std::vector<const Element*>* out) const;

  std::vector<Element> elements_;
  std::vector<std::size_t> furthest_;  // index of the element with the largest end among 0 to i
  /// The elements form a balanced tree: the middle one of a range is the root of the two halves.
  std::vector<std::int64_t> reach_;  // by root: the largest end in its range
};

struct Annotations {
  std::filesystem::path path;
  std::string name;  // the file name without .gz, .bed, .narrowPeak and the like
  /// Distinct texts of the class column, each a comma-separated list of classes
  /// ("pELS,CTCF-bound"), or "." for none.
  std::vector<std::string> labels;
  std::vector<std::string> classes;  // sorted
  std::vector<std::vector<std::size_t>> classes_of_label;
  std::map<std::string, ElementList> chromosomes;
  std::int64_t elements = 0;
  std::int64_t without_class = 0;       // elements without a class
  std::int64_t empty = 0;               // intervals without a base, which are ignored
  std::vector<std::string> assemblies;  // named in the file name, track lines or comments
};

/// Reads annotations. The class is column 10 if that holds text (ENCODE's BED9+), or column 6 of
/// six if that is not a strand (downloads of the SCREEN registry); any other file is one class,
/// named after the file. The first line whose column is not "." decides. Lines may be in any order;
/// comments, "track" and "browser" lines are skipped. A file takes at most about 30 bytes of memory
/// per byte of text. Throws InputError naming the file and "line N" (number of columns,
/// coordinates), "elements" (none, or more than 2^25) or the class column (more than 10000
/// classes).
Annotations read_annotations(const std::filesystem::path& path);

/// Bases between two half-open intervals: 0 if they share a base, 1 if they touch (as in bedtools
/// closest); negative if the element is at lower coordinates than [start, end).
std::int64_t distance_to(const Element& element, std::int64_t start, std::int64_t end);

}  // namespace cdt
