// Annotation tracks: elements of the genome by class, from a BED file (plain or gzip) such as
// ENCODE candidate cis-regulatory elements, CTCF narrowPeak files or any BED of three columns and
// more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cdt {

struct Element {
  std::int64_t start = 0, end = 0;  // 0-based, half open
  std::string name;                 // "" where the file has three columns
  std::size_t label = 0;            // into Annotations::labels
};

/// The elements of one chromosome, sorted by start, then end.
class ElementList {
 public:
  void add(Element element) { elements_.push_back(std::move(element)); }
  /// Sorts; to be called once, after the last add().
  void finish();

  const std::vector<Element>& elements() const { return elements_; }
  /// Those that share at least one base with [start, end), in order.
  std::vector<const Element*> overlapping(std::int64_t start, std::int64_t end) const;
  /// The element that shares most bases with [start, end); if none shares any, the nearest. Of
  /// equals the first. Null if there is no element.
  const Element* nearest(std::int64_t start, std::int64_t end) const;

 private:
  /// The first element that ends past `position`, or one before it.
  std::size_t first_past(std::int64_t position) const;

  /// Fills reach_ of the tree over elements [begin, end); its largest end.
  std::int64_t build(std::size_t begin, std::size_t end);
  void collect(std::size_t begin, std::size_t end, const Element& range,
               std::vector<const Element*>* out) const;

  std::vector<Element> elements_;
  std::vector<std::size_t> furthest_;  // of elements 0 to i, the one with the largest end
  /// The elements are a balanced tree: the middle one of a range is the root of its two halves.
  std::vector<std::int64_t> reach_;  // by root: the largest end in its range
};

struct Annotations {
  std::filesystem::path path;
  std::string name;  // the file name without .gz, .bed, .narrowPeak and the like
  /// The distinct texts of the class column, each a list of classes with commas between them
  /// ("pELS,CTCF-bound"); "." where there is none.
  std::vector<std::string> labels;
  std::vector<std::string> classes;  // sorted
  std::vector<std::vector<std::size_t>> classes_of_label;
  std::map<std::string, ElementList> chromosomes;
  std::int64_t elements = 0;
  std::int64_t without_class = 0;       // of these
  std::int64_t empty = 0;               // intervals without a base, which are left out
  std::vector<std::string> assemblies;  // named in the file name, track lines or comments
};

/// The class column is column 10 where that is text (ENCODE's BED9+), column 6 of six where that is
/// no strand (downloads of the SCREEN registry); any other file is one class, named as the file.
/// The first line whose column is not "." decides. Lines in any order; comments, "track" and
/// "browser" lines are skipped. A file takes at most some 30 bytes of memory per byte of text.
/// InputError names the file and "line N": columns, coordinates; or "elements": none, or more than
/// 2^25; or the class column: more than 10000 classes.
Annotations read_annotations(const std::filesystem::path& path);

/// Bases between two half-open intervals: 0 if they share one, 1 if they touch (as bedtools closest
/// counts); negative if the element lies at lower coordinates than [start, end).
std::int64_t distance_to(const Element& element, std::int64_t start, std::int64_t end);

}  // namespace cdt
