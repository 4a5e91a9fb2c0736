// Annotated elements under a DNA window by class, for the figure of one pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/report/material.h"
#include "apps/report/plot.h"

namespace cdt {

/// How a class of one of `files` annotation files is called.
std::string class_name(const std::string& file, const std::string& name, std::size_t files);

/// A class of one annotation file and where its elements lie in the window.
struct ElementClass {
  std::string name;
  std::vector<std::vector<double>> spans;  // {from, to}, kb from the enhancer's centre
};

/// The classes with an element in [from, to), those with most elements first. An element of two
/// classes is one of both.
std::vector<ElementClass> classes_in(const Material& material, const Enhancer& enhancer,
                                     std::int64_t from, std::int64_t to);

/// The colour of a row of classes; the row's number tells apart what shares a colour.
Ink class_ink(std::size_t row);

/// Draws the classes as rows, the first at the top, numbered where there are several. "x" is set.
void draw_classes(Plot& plot, const std::vector<ElementClass>& classes);

}  // namespace cdt
