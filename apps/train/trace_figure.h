// Where the figure of the architecture has its boxes and arrows, all of them from the trace: a
// column for each kind of data, a row for each step of the way. Lengths in pixels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/train/step_trace.h"

namespace cdt {

struct Figure {
  /// A module, or data where it enters (module: -1).
  struct Box {
    std::string name;    // of the module or the data
    std::string title;   // what it is, in words
    std::string inside;  // its ops, in words
    int module = -1;
    int column = 0;  // kNoColumn: of all data together
    int row = 0;
    double x = 0, y = 0, width = 0, height = 0;
    static constexpr double kTextWidth = 208;
    double centre() const { return x + width / 2; }
    double middle() const { return y + height / 2; }
    /// What is written in it begins and ends here, in a wide box too.
    double text_left() const { return centre() - kTextWidth / 2; }
    double text_right() const { return centre() + kTextWidth / 2; }
    double bottom() const { return y + height; }
  };
  static constexpr int kNoColumn = -1;
  /// Down from the middle of `from`; into the side of `to` where that is in another column.
  struct Arrow {
    std::size_t from = 0, to = 0;  // boxes
    std::string role;              // of StepTrace::Entry
    Shape shape;
    bool sideways = false;
  };
  /// Behind the boxes of a column.
  struct Band {
    double x = 0, y = 0, width = 0, height = 0;
  };

  std::vector<Box> boxes;
  std::vector<Arrow> arrows;
  std::vector<Band> bands;  // a column each
  double margin = 0, width = 0, height = 0;
};

Figure lay_out(const StepTrace& trace);

/// "DNA", "RNA", "Protein"; the name itself where it has no other form.
std::string data_title(const std::string& data);

}  // namespace cdt
