// The page: its sections, its style sheet, and the whole as one file that asks for nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/report/figures.h"
#include "apps/report/html.h"

namespace cdt {

struct PageSection {
  std::string anchor;  // letters
  Html title;
  Html introduction;
  std::vector<std::string> warnings;  // what to know before believing the section
  std::vector<Item> items;
};

struct Page {
  Html title;
  Html subtitle;
  Html opening;  // what was trained on what, and the headline numbers
  std::vector<PageSection> sections;
  Html footer;
};

/// The whole document. Figures are numbered through; what is left out stands at the end of its
/// section with the command that would add it.
std::string page_html(const Page& page);

/// The style sheet: light, dark, phone and print.
std::string_view style_sheet();

}  // namespace cdt
