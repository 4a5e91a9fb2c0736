// A type for HTML, so that text from files and command lines cannot get into the page unescaped.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdt {

class Html {
 public:
  Html() = default;
  /// Text: & < > " ' become entities, control characters and invalid UTF-8 become U+FFFD.
  Html(std::string_view text);                              // NOLINT(google-explicit-constructor)
  Html(const char* text) : Html(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Html(const std::string& text)
      : Html(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  /// Markup that is not escaped; only for code written by this program.
  static Html markup(std::string code);

  Html& operator+=(const Html& other);
  bool empty() const { return code_.empty(); }
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

Html operator+(Html a, const Html& b);

/// Attributes; names are our own, values are escaped.
using Attributes = std::initializer_list<std::pair<const char*, std::string_view>>;

/// <TAG NAME="VALUE">content</TAG>
Html element(std::string_view tag, Attributes attributes, const Html& content);
Html element(std::string_view tag, const Html& content);

/// A sentence that may be a conclusion, marked so that the claims of pages can be counted: its name
/// as data-claim, and the class "said", or "unsaid" if it says why nothing is concluded.
Html claim_html(std::string_view tag, std::string_view name, bool said, const Html& sentence);

/// A table in a box that scrolls sideways on a narrow page. The first cell of each row is its
/// header; `label` names the table for screen readers.
Html table(std::string_view label, const std::vector<Html>& header,
           const std::vector<std::vector<Html>>& rows);

}  // namespace cdt
