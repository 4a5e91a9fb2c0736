#include "apps/report/html.h"

#include <cstddef>

#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(text, at);
    const bool control =
        (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
    if (length == 0 || control) {
      out += kReplacement;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace

Html::Html(std::string_view text) : code_(escaped(text)) {}

Html Html::markup(std::string code) {
  Html out;
  out.code_ = std::move(code);
  return out;
}

Html& Html::operator+=(const Html& other) {
  code_ += other.code_;
  return *this;
}

Html operator+(Html a, const Html& b) {
  a += b;
  return a;
}

Html element(std::string_view tag, Attributes attributes, const Html& content) {
  std::string code = "<" + std::string(tag);
  for (const auto& [name, value] : attributes) {
    code += ' ';
    code += name;
    code += "=\"" + escaped(value) + '"';
  }
  code += '>';
  code += content.code();
  code += "</" + std::string(tag) + '>';
  return Html::markup(std::move(code));
}

Html element(std::string_view tag, const Html& content) { return element(tag, {}, content); }

Html claim_html(std::string_view tag, std::string_view name, bool said, const Html& sentence) {
  return element(tag, {{"class", said ? "said" : "unsaid"}, {"data-claim", name}}, sentence);
}

Html table(std::string_view label, const std::vector<Html>& header,
           const std::vector<std::vector<Html>>& rows) {
  Html head;
  for (const Html& cell : header) head += element("th", {{"scope", "col"}}, cell);
  Html body;
  for (const std::vector<Html>& row : rows) {
    Html cells;
    for (const Html& cell : row) {
      cells += cells.empty() ? element("th", {{"scope", "row"}}, cell) : element("td", cell);
    }
    body += element("tr", cells);
  }
  // The box can have the keyboard focus, so that it scrolls without a mouse.
  return element(
      "div", {{"class", "scroll"}, {"role", "region"}, {"tabindex", "0"}, {"aria-label", label}},
      element("table", element("thead", element("tr", head)) + element("tbody", body)));
}

}  // namespace cdt
