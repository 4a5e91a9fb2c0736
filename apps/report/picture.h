// Figures as pictures of a page: drawn by gnuplot twice, for a wide page and for a phone, as SVG
// whose colours are variables of the style sheet.
#pragma once

#include <functional>
#include <string_view>

#include "apps/report/gnuplot.h"
#include "apps/report/html.h"
#include "apps/report/plot.h"

namespace cdt {

/// gnuplot's SVG as an element for the page: no document head, no fonts, no ids, colours of Ink as
/// variables, `label` for who does not see it, `css_class` on the svg. Error if it is no SVG.
Html inline_svg(std::string_view svg, std::string_view label, std::string_view css_class);

/// Of the two canvases, in pixels.
struct Heights {
  int wide = 0;
  int narrow = 0;
};
/// Both forms of a figure; the style sheet shows one.
Html draw_both(const Gnuplot& gnuplot, std::string_view label, const Heights& heights,
               const std::function<void(Plot&)>& describe);

}  // namespace cdt
