// A page: sections of figures, in one file that makes no network requests.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "apps/report/html.h"
#include "apps/report/style.h"

namespace cdt {

struct LegendEntry {
  Ink ink = Ink::kText;
  const char* mark = "";  // a class of the style sheet: "dot", "line", "dashes", "area" or "scale"
  Html text;
};

struct Figure {
  Html picture;
  std::vector<LegendEntry> legend;
  Html reading;               // one sentence: how to read it
  Html note;                  // further remarks; may be empty
  bool of_positions = false;  // its note ends with kSeesNoPositions
  Html finding;               // what it shows here, with numbers
  Html details;               // a folded table; may be empty
  bool unfolded = false;
};

/// Numbers that stay unfolded, without a picture.
struct NumbersTable {
  Html table;
  Html meaning;  // what each number tells
};

/// Why a figure is left out.
struct Omission {
  Html reason;
  bool can_be_added = false;  // by running a command
};

using Item = std::variant<Figure, NumbersTable, Omission>;

struct PageItem {
  Html title;
  Item content;
  std::string command;  // made the figure or would add it; may be empty
};

struct PageSection {
  std::string anchor;  // letters
  Html title;
  Html introduction;
  std::vector<std::string> warnings;  // what to know before believing the section
  std::vector<PageItem> items;
  Html text = {};  // paragraphs and lists, before the items
};

struct Page {
  Html title;
  Html subtitle;
  Html opening;  // model and data, and the headline numbers
  std::vector<PageSection> sections;
  Html footer;
};

/// The whole document. Figures are numbered; omitted ones are listed at the end of their section
/// with the command that would add them.
std::string page_html(const Page& page);

}  // namespace cdt
