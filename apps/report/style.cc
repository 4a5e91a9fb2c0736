#include "apps/report/style.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::array<const char*, 14> kNames = {
    "--text",   "--muted", "--grid", "--null", "--blue", "--orange", "--green",
    "--purple", "--red",   "--teal", "--gold", "--pink", "--brown",  "--olive"};

/// Hexadecimal digits of the ink's light value: the first in the style sheet.
std::string_view light_value(const char* name) {
  const std::string declaration = name + std::string(": #");
  const std::size_t at = style_sheet().find(declaration);
  CDT_CHECK(at != std::string_view::npos, "the style sheet gives every ink a value");
  return style_sheet().substr(at + declaration.size(), 6);
}

}  // namespace

const char* ink_name(Ink ink) { return kNames[static_cast<std::size_t>(ink)]; }

std::string rgb(Ink ink, double opacity) {
  constexpr double kOpaque = 255.0;
  std::array<char, 8> transparency{};
  std::snprintf(
      transparency.data(), transparency.size(), "%02X",
      static_cast<unsigned>(std::lround(kOpaque * (1.0 - std::clamp(opacity, 0.0, 1.0)))));
  return std::string("rgb '#") + transparency.data() + std::string(light_value(ink_name(ink))) +
         "'";
}

std::string variable_of(unsigned red, unsigned green, unsigned blue) {
  std::array<char, 8> value{};
  std::snprintf(value.data(), value.size(), "%02x%02x%02x", red & 0xFFU, green & 0xFFU,
                blue & 0xFFU);
  for (const char* name : kNames) {
    if (light_value(name) == value.data()) return std::string("var(") + name + ")";
  }
  return "";
}

std::string_view style_sheet() {
  return R"css(:root {
  --paper: #ffffff; --sheet: #f5f6f8; --rule: #d9dde3;
  --text: #1b2430; --muted: #5b6675; --grid: #e3e7ec; --null: #8d97a5;
  --blue: #1f6fb5; --orange: #b54d12; --green: #1f8a5b; --purple: #7a55b5;
  --red: #c03a4b; --teal: #0f8790; --gold: #a67c00;
  --pink: #b23a8e; --brown: #80563a; --olive: #5f7512;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --sheet: #1b2129; --rule: #333c48;
    --text: #e6eaf0; --muted: #a0abba; --grid: #29313c; --null: #7d8897;
    --blue: #6db3f2; --orange: #f0945a; --green: #5cc998; --purple: #b79af0;
    --red: #f0808d; --teal: #57c8d0; --gold: #dcb347;
    --pink: #ef8fcf; --brown: #c79a78; --olive: #b3c95a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--paper); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  font-variant-numeric: lining-nums;
}
main { max-width: 49rem; margin: 0 auto; padding: 2.5rem 2rem 4rem; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 2.1rem; letter-spacing: -0.015em; margin: 0 0 0.4rem; }
h2 { font-size: 1.45rem; margin: 3.5rem 0 0.6rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.08rem; margin: 0 0 0.7rem; }
p { margin: 0.5rem 0; }
a { color: var(--blue); }
.subtitle { color: var(--muted); font-size: 1.05rem; margin: 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.3rem; padding: 0; margin: 1.2rem 0 1.8rem; font-size: 0.95rem; }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.8rem; margin: 1.5rem 0; }
.headline div { background: var(--sheet); border-radius: 10px; padding: 0.8rem 1rem 0.9rem; }
.headline .label { display: block; color: var(--muted); font-size: 0.85rem; }
.headline .value { display: block; font-size: 1.9rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -0.02em; }
.headline .note { display: block; color: var(--muted); font-size: 0.85rem; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.2rem; margin: 1rem 0; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; }
dd ul { list-style: none; margin: 0; padding: 0; }
.conclusions { border-left: 4px solid var(--blue); background: var(--sheet); border-radius: 0 10px 10px 0; padding: 0.7rem 1.1rem 0.8rem; margin: 1.5rem 0; }
.conclusions h2 { border: 0; padding: 0; margin: 0 0 0.3rem; font-size: 1.08rem; }
.conclusions ul { margin: 0; padding-left: 1.2rem; }
.conclusions li { margin: 0.35rem 0; }
.conclusions .said { font-weight: 650; }
.cautions { border-left: 4px solid var(--gold); background: var(--sheet); border-radius: 0 10px 10px 0; padding: 0.7rem 1.1rem 0.8rem; margin: 1.5rem 0; }
.cautions h2 { border: 0; padding: 0; margin: 0 0 0.3rem; font-size: 1.08rem; }
.cautions ul { margin: 0; padding-left: 1.2rem; }
.cautions li { margin: 0.35rem 0; }
figure { margin: 2rem 0 2.6rem; }
figcaption { font-size: 0.95rem; }
figcaption .note { color: var(--muted); font-size: 0.9rem; }
.numbers { margin: 2rem 0 2.6rem; font-size: 0.95rem; }
.number { color: var(--muted); font-weight: 500; }
svg { display: block; width: 100%; height: auto; margin: 0 auto; }
svg.wide { max-width: 720px; }
svg.narrow { max-width: 340px; display: none; }
svg text { font-family: inherit; }
svg image { image-rendering: pixelated; }
.legend { list-style: none; padding: 0; margin: 0.6rem 0 0.8rem; display: flex; flex-wrap: wrap; gap: 0.2rem 1.3rem; font-size: 0.9rem; color: var(--muted); }
.legend li { display: flex; align-items: baseline; gap: 0.5em; }
.key { flex: none; display: inline-block; background: var(--key); -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.key.dot { width: 0.6em; height: 0.6em; border-radius: 50%; }
.key.area { width: 0.85em; height: 0.7em; border-radius: 2px; opacity: 0.75; }
.key.line { width: 1.3em; height: 3px; transform: translateY(-0.25em); }
.key.scale { width: 4em; height: 0.7em; border-radius: 2px; background: linear-gradient(90deg, #440154, #414487, #2a788e, #22a884, #7ad151, #fde725); }
.key.dashes { width: 1.4em; height: 2px; transform: translateY(-0.25em); background: repeating-linear-gradient(90deg, var(--key) 0 5px, transparent 5px 8px); }
details { margin: 0.3rem 0; font-size: 0.92rem; }
summary { cursor: pointer; color: var(--muted); width: max-content; }
summary:hover { color: var(--text); }
.scroll, .command { overflow-x: auto; margin: 0.5rem 0 0.8rem; }
.scroll:focus-visible, .command:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 0.3rem 0.5rem; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { font-weight: 550; }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; white-space: normal; line-height: 1.3; }
th[scope="row"], thead th:first-child { text-align: left; padding-left: 0; white-space: nowrap; }
code { font: 0.85em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.command { background: var(--sheet); border-radius: 8px; padding: 0.55rem 0.8rem; }
.command code { white-space: pre; }
.omitted { border: 1px dashed var(--rule); border-radius: 10px; padding: 0.5rem 1rem; margin: 1rem 0; font-size: 0.95rem; color: var(--muted); }
.omitted b { color: var(--text); }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--muted); font-size: 0.88rem; }
@media (min-width: 1200px) {
  .scroll { width: max-content; min-width: 100%; max-width: calc(100% + 12.5rem); }
}
@media (max-width: 640px) {
  main { padding: 1.4rem 1rem 3rem; }
  h1 { font-size: 1.65rem; }
  h2 { font-size: 1.28rem; margin-top: 2.6rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.5rem; }
  svg.wide { display: none; }
  svg.narrow { display: block; }
}
@media print {
  @page { margin: 16mm; }
  body { font-size: 10pt; background: #ffffff; }
  table { font-size: 7.5pt; }
  th, td { padding: 0.12rem 0.25rem; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; margin-top: 1.6rem; }
  figure, .headline, .conclusions, .cautions, .omitted, tr { break-inside: avoid; }
  svg.wide { display: block; max-width: 165mm; }
  svg.narrow { display: none; }
  .command code, .command { white-space: pre-wrap; overflow-wrap: anywhere; }
  .scroll, .command { overflow: visible; }
  details::details-content { content-visibility: visible; }
  a { color: inherit; text-decoration: none; }
}
)css";
}

}  // namespace cdt
