// Figures as pictures of a page: gnuplot draws each twice, for a wide page and for a phone, as SVG
// whose colours are variables of the style sheet.
#pragma once

#include <functional>
#include <string_view>

#include "apps/report/gnuplot.h"
#include "apps/report/html.h"
#include "apps/report/plot.h"

namespace cdt {

/// gnuplot's SVG as an element of the page: without document head, fonts and ids, colours of Ink as
/// variables, `label` for screen readers, `css_class` on the svg. Throws Error if it is no SVG.
Html inline_svg(std::string_view svg, std::string_view label, std::string_view css_class);

/// Heights of the two canvases, in pixels.
struct Heights {
  int wide = 0;
  int narrow = 0;
};
/// Both versions of a figure; the style sheet shows one.
Html draw_both(const Gnuplot& gnuplot, std::string_view label, const Heights& heights,
               const std::function<void(Plot&)>& describe);

}  // namespace cdt
