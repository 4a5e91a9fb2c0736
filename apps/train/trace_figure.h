// The layout of the architecture figure: boxes and arrows, all taken from the trace. There is one
// column for each kind of data; rows follow the path of the data. Lengths in pixels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/train/step_trace.h"

namespace cdt {

struct Figure {
  /// A module, or an input of the model (module: -1).
  struct Box {
    std::string name;    // of the module or the data
    std::string title;   // what it is, in words
    std::string inside;  // its ops, in words
    int module = -1;
    int column = 0;  // kNoColumn: several kinds of data meet
    int row = 0;
    double x = 0, y = 0, width = 0, height = 0;
    static constexpr double kTextWidth = 208;
    double centre() const { return x + width / 2; }
    double middle() const { return y + height / 2; }
    /// Left and right end of the text inside, also in a wide box.
    double text_left() const { return centre() - kTextWidth / 2; }
    double text_right() const { return centre() + kTextWidth / 2; }
    double bottom() const { return y + height; }
  };
  static constexpr int kNoColumn = -1;
  /// Goes down from the middle of `from`, and into the side of `to` if that is in another column.
  struct Arrow {
    std::size_t from = 0, to = 0;  // boxes
    std::string role;              // of StepTrace::Entry
    Shape shape;
    bool sideways = false;
  };
  /// The background of a column.
  struct Band {
    double x = 0, y = 0, width = 0, height = 0;
  };

  std::vector<Box> boxes;
  std::vector<Arrow> arrows;
  std::vector<Band> bands;  // one per column
  double margin = 0, width = 0, height = 0;
};

Figure lay_out(const StepTrace& trace);

/// "DNA", "RNA", "Protein"; the name itself where it has no other form.
std::string data_title(const std::string& data);

}  // namespace cdt
