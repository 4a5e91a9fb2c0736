#include "apps/report/page.h"

#include <string>

#include "apps/evaluation/claims.h"

namespace cdt {
namespace {

Html legend_html(const std::vector<LegendEntry>& legend) {
  Html entries;
  for (const LegendEntry& entry : legend) {
    const std::string colour = std::string("--key:var(") + ink_name(entry.ink) + ")";
    const Html key =
        element("span", {{"class", std::string("key ") + entry.mark}, {"style", colour}}, Html());
    entries += element("li", key + entry.text);
  }
  return entries.empty() ? entries : element("ul", {{"class", "legend"}}, entries);
}

Html command_html(const std::string& command) {
  return element(
      "div",
      {{"class", "command"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", "Command"}},
      element("code", command));
}

Html folded_command(const PageItem& item) {
  if (item.command.empty()) return {};
  return element("details", element("summary", "The command") + command_html(item.command));
}

Html numbers_html(const NumbersTable& numbers, const PageItem& item) {
  return element("div", {{"class", "numbers"}},
                 element("h3", item.title) + numbers.table +
                     element("p", element("b", "What each number tells. ") + numbers.meaning) +
                     folded_command(item));
}

Html figure_html(const Figure& figure, const PageItem& item, int number) {
  const std::string name = "Figure " + std::to_string(number);
  Html caption = element("h3", element("span", {{"class", "number"}}, name) + " " + item.title);
  Html below = legend_html(figure.legend);
  below += element("p", element("b", "How to read it. ") + figure.reading);
  Html note = figure.note;
  if (figure.of_positions) note += (note.empty() ? "" : " ") + Html(kSeesNoPositions);
  if (!note.empty()) below += element("p", {{"class", "note"}}, note);
  if (!figure.finding.empty()) below += element("p", element("b", "Here. ") + figure.finding);
  if (!figure.details.empty()) {
    const Html numbers = element("summary", "The numbers") + figure.details;
    below +=
        figure.unfolded ? element("details", {{"open", ""}}, numbers) : element("details", numbers);
  }
  below += folded_command(item);
  return element("figure", {{"id", "figure-" + std::to_string(number)}},
                 caption + element("div", {{"class", "picture"}}, figure.picture) +
                     Html::markup("\n") + element("figcaption", below));
}

Html omission_html(const Omission& omission, const PageItem& item) {
  Html text = element("p", element("b", item.title) + " is left out. " + omission.reason +
                               (item.command.empty() ? "" : " This would add it:"));
  if (!item.command.empty()) text += command_html(item.command);
  return element("div", {{"class", "omitted"}}, text);
}

Html warnings_html(const std::vector<std::string>& warnings) {
  Html text;
  for (const std::string& warning : warnings) {
    text += element("p", element("b", "Warning: ") + warning + ".");
  }
  return element("aside", {{"class", "cautions"}}, text);
}

Html section_html(const PageSection& section, int* figures) {
  Html out = element("h2", section.title);
  if (!section.introduction.empty()) out += element("p", section.introduction);
  if (!section.warnings.empty()) out += warnings_html(section.warnings);
  out += section.text;
  Html omitted;
  for (const PageItem& item : section.items) {
    if (const auto* figure = std::get_if<Figure>(&item.content)) {
      out += figure_html(*figure, item, ++*figures);
    } else if (const auto* numbers = std::get_if<NumbersTable>(&item.content)) {
      out += numbers_html(*numbers, item);
    } else {
      omitted += omission_html(std::get<Omission>(item.content), item);
    }
  }
  return element("section", {{"id", section.anchor}}, out + omitted);
}

Html contents_html(const std::vector<PageSection>& sections) {
  Html links;
  for (const PageSection& section : sections) {
    links += element("li", element("a", {{"href", "#" + section.anchor}}, section.title));
  }
  return element("nav", {{"aria-label", "Contents"}}, element("ul", links));
}

}  // namespace

std::string page_html(const Page& page) {
  Html main = element(
      "header", element("h1", page.title) + element("p", {{"class", "subtitle"}}, page.subtitle));
  main += contents_html(page.sections) + page.opening;
  int figures = 0;
  for (const PageSection& section : page.sections) main += section_html(section, &figures);
  main += element("footer", page.footer);
  // The policy forbids every request, so that opening the page is visible to nobody.
  const std::string head =
      "<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n" + head +
         element("title", page.title).code() + "\n<style>\n" + std::string(style_sheet()) +
         "</style>\n</head>\n<body>\n" + element("main", main).code() + "\n</body>\n</html>\n";
}

}  // namespace cdt
