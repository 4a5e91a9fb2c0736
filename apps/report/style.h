// Style sheet of a page, and the colours of figures by role.
#pragma once

#include <string>
#include <string_view>

namespace cdt {

/// A colour variable of the style sheet, with a light and a dark value.
enum class Ink {
  kText,
  kMuted,
  kGrid,
  kNull,
  kBlue,
  kOrange,
  kGreen,
  kPurple,
  kRed,
  kTeal,
  kGold,
  kPink,
  kBrown,
  kOlive
};
/// "--blue"
const char* ink_name(Ink ink);
/// The ink's light value in a gnuplot script, "rgb '#001f6fb5'".
std::string rgb(Ink ink, double opacity = 1.0);
/// "var(--blue)" for the ink with this light value; empty if no ink has it.
std::string variable_of(unsigned red, unsigned green, unsigned blue);

/// CSS for light, dark, phone and print.
std::string_view style_sheet();

}  // namespace cdt
