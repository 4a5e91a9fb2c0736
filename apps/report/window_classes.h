// Annotated elements by class under a DNA window, for the figure of one pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/report/material.h"
#include "apps/report/plot.h"

namespace cdt {

/// Display name of a class from one of `files` annotation files.
std::string class_name(const std::string& file, const std::string& name, std::size_t files);

/// A class of one annotation file, and where its elements are in the window.
struct ElementClass {
  std::string name;
  std::vector<std::vector<double>> spans;  // {from, to}, kb from the enhancer's centre
};

/// Classes with an element in [from, to), those with most elements first. An element of two classes
/// counts for both.
std::vector<ElementClass> classes_in(const Material& material, const Enhancer& enhancer,
                                     std::int64_t from, std::int64_t to);

/// Colour of a row of classes; rows with the same colour are distinguished by their number.
Ink class_ink(std::size_t row);

/// Draws the classes as rows, the first at the top, numbered if there are several. The range of "x"
/// must be set.
void draw_classes(Plot& plot, const std::vector<ElementClass>& classes);

}  // namespace cdt
