// The HTML builder, the page around it, and gnuplot's pictures adapted to it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "apps/report/gnuplot.h"
#include "apps/report/html.h"
#include "apps/report/numerals.h"
#include "apps/report/page.h"
#include "apps/report/picture.h"
#include "engine/error.h"
#include "tests/support/input_error.h"

namespace cdt {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ReportHtmlTest, TextIsEscaped) {
  EXPECT_EQ(Html("<script>alert('x & \"y\"')</script>").code(),
            "&lt;script&gt;alert(&#39;x &amp; &quot;y&quot;&#39;)&lt;/script&gt;");
  EXPECT_EQ(Html("a\x01"
                 "b\tc\nd\x7F")
                .code(),
            "a\xEF\xBF\xBD"
            "b\tc\nd\xEF\xBF\xBD");
}

TEST(ReportHtmlTest, OnlyWholeUtf8Passes) {
  const std::string good = "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA7\xAC";
  EXPECT_EQ(Html(good).code(), good);
  // A lone continuation byte, an overlong '<', a surrogate, past U+10FFFF, and a truncated
  // sequence.
  for (const std::string bad :
       {"\x80", "\xC0\xBC", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    const std::string code = Html(bad).code();
    EXPECT_TRUE(holds(code, "\xEF\xBF\xBD")) << code;
    EXPECT_FALSE(holds(code, bad)) << code;
  }
}

TEST(ReportHtmlTest, AttributesAreEscaped) {
  EXPECT_EQ(element("p", {{"title", "\"><b>"}}, "x & y").code(),
            "<p title=\"&quot;&gt;&lt;b&gt;\">x &amp; y</p>");
}

TEST(ReportHtmlTest, TableHasHeadersAndScrolls) {
  const std::string code = table("Numbers", {"name", "r"}, {{"<a>", "0.5"}}).code();
  EXPECT_TRUE(holds(code, "class=\"scroll\"")) << code;
  EXPECT_TRUE(holds(code, "<th scope=\"row\">&lt;a&gt;</th><td>0.5</td>")) << code;
}

TEST(ReportNumeralsTest, NumbersForReaders) {
  EXPECT_EQ(fixed(-0.0004, 2), "0.00");
  EXPECT_EQ(fixed(-1.5, 1), "\u22121.5");
  EXPECT_EQ(fixed(std::nan(""), 3), "\u2013");
  EXPECT_EQ(fixed(-HUGE_VAL, 3), "\u2212\u221e");
  EXPECT_EQ(fixed(-2.5e38, 3), "\u22122.50\u202f\u00d7\u202f10\u00b3\u2078");
  EXPECT_EQ(percent(0.9553), "95.5\u202f%");
  EXPECT_EQ(count_text(60093752), "60\u202f093\u202f752");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(counted(1, "pair"), "1 pair");
  EXPECT_EQ(p_value(0.25).code(), "0.250");
  EXPECT_EQ(p_value(ResampledP{0.0123, 0.0021, false}).code(), "0.012\u202f\u00b1\u202f0.002");
  EXPECT_EQ(p_value(ResampledP{0.0012, 0.0003, false}).code(), "0.0012\u202f\u00b1\u202f0.0003");
  EXPECT_EQ(p_value(ResampledP{0.002, 0.002, true}).code(), "\u2264\u202f0.002");
  EXPECT_EQ(p_value(ResampledP{0.25, std::nan(""), false}).code(), "0.250");
  EXPECT_EQ(p_value(6.61e-185).code(), "6.6\u202f\u00d7\u202f10<sup>\u2212185</sup>");
  EXPECT_EQ(with_interval({1.5, {1.4, 1.6}}, 1), "1.5 [1.4, 1.6]");
  EXPECT_EQ(with_interval({0.0, {0.0, 0.0}}, 2), "0.00");
  EXPECT_EQ(with_interval({0.0, {0.0, 0.01}}, 2), "0.00 [0.00, 0.01]");
  EXPECT_EQ(with_interval({0.5, {std::nan(""), 0.6}}, 1), "0.5");
  EXPECT_EQ(interval_text({std::nan(""), 1.0}, 2), "\u2013");
}

Page small_page() {
  Page page;
  page.title = "A <title>";
  Figure figure;
  figure.picture = Html::markup("<svg></svg>");
  figure.legend = {{Ink::kBlue, "dot", "a & b"}};
  figure.reading = "Left is <less>.";
  page.sections.push_back({"one",
                           "Section",
                           "",
                           {"a <file> of another model"},
                           {{"Second", Omission{"No file.", true}, "cdt-y"},
                            {"First", figure, "cdt-x --data 'a & b'"}}});
  return page;
}

TEST(ReportPageTest, FiguresComeNumberedAndOmissionsAfterThem) {
  const std::string html = page_html(small_page());
  EXPECT_EQ(html.rfind("<!DOCTYPE html>", 0), 0U);
  EXPECT_TRUE(holds(html, "<title>A &lt;title&gt;</title>"));
  EXPECT_TRUE(holds(html, "Figure 1</span> First"));
  EXPECT_TRUE(holds(html, "Left is &lt;less&gt;."));
  EXPECT_TRUE(holds(html, "<b>Warning: </b>a &lt;file&gt; of another model.</p>"));
  EXPECT_TRUE(holds(html, "cdt-x --data &#39;a &amp; b&#39;"));
  EXPECT_LT(html.find("Figure 1"), html.find("<b>Second</b> is left out. No file."));
}

TEST(ReportPageTest, NothingOnThePageAsksForAnything) {
  const std::string html = page_html(small_page());
  for (const char* reference :
       {"http:", "https:", "//", "src=", "url(", "@import", "<script", "<link"}) {
    EXPECT_FALSE(holds(html, reference)) << reference;
  }
  EXPECT_TRUE(holds(html, "default-src 'none'"));
}

TEST(ReportSvgTest, GnuplotsDocumentBecomesAnElement) {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 9 9\"\n "
      "xmlns=\"http://www.w3.org/2000/svg\">\n"
      "<title>Gnuplot</title>\n<defs><circle id='gpDot'/></defs>\n<g id=\"gnuplot_canvas\">\n"
      "<g fill=\"none\" color=\"black\" stroke=\"currentColor\">\n</g>\n"
      "<polygon fill = 'rgb( 31, 111, 181)' points = '1,1 2,2'/>\n"
      "<use xlink:href='#gpPt6' transform='translate(3.50,-4.25) scale(2.25)'"
      " color='rgb(181,  77,  18)' opacity='0.25'/>\n"
      "<g fill=\"rgb(9,9,9)\" font-family=\"Arial\"><text>a &lt; b</text></g>\n</g>\n</svg>\n";
  EXPECT_EQ(
      inline_svg(svg, "A \"label\"", "wide").code(),
      "<svg class=\"wide\" viewBox=\"0 0 9 9\" role=\"img\" aria-label=\"A &quot;label&quot;\">"
      "<g><polygon fill=\"var(--blue)\" points=\"1,1 2,2\"/>"
      "<circle cx=\"3.50\" cy=\"-4.25\" r=\"2.25\" fill=\"var(--orange)\" stroke=\"none\""
      " fill-opacity=\"0.25\"/>"
      "<g fill=\"rgb(9,9,9)\"><text>a &lt; b</text></g></g></svg>");
}

TEST(ReportSvgTest, TheDotThatGnuplot6DrawsForALineOfNoLengthIsACircle) {
  const std::string svg =
      "<svg viewBox='0 0 1 1'><use xlink:href='#gpDot' x='4.20' y='1.19' "
      "color='rgb(181,  77,  18)'/></svg>";
  EXPECT_EQ(inline_svg(svg, "x", "wide").code(),
            "<svg class=\"wide\" viewBox=\"0 0 1 1\" role=\"img\" aria-label=\"x\">"
            "<circle cx=\"4.20\" cy=\"1.19\" r=\"0.5\" fill=\"var(--orange)\" stroke=\"none\"/>"
            "</svg>");
}

TEST(ReportSvgTest, WhatIsNoPictureIsRefused) {
  EXPECT_THROW(inline_svg("", "x", "wide"), Error);
  EXPECT_THROW(inline_svg("<svg viewBox='0 0 1 1'><g>", "x", "wide"), Error);
  EXPECT_THROW(inline_svg("<svg viewBox='0 0 1 1'><use xlink:href='#gpPt3'/></svg>", "x", "wide"),
               Error);
}

TEST(ReportGnuplotTest, DrawsInBothFormsWithOurColours) {
  const Gnuplot gnuplot;
  const std::string code =
      draw_both(gnuplot, "Two points", {200, 150}, [](Plot& plot) {
        const std::string data = plot.data({{1, 2}, {3, std::nan("")}, {4, 5}});
        plot.axis("x", {1, 4}, {.margin = 0.1}).axis("y", {2, 5}, {.margin = 0.1});
        plot.run("plot " + data + " using 1:2 with points pointtype 7 linecolor " +
                 rgb(Ink::kGold));
      }).code();
  EXPECT_TRUE(holds(code, "viewBox=\"0 0 720 200\"")) << code;
  EXPECT_TRUE(holds(code, "viewBox=\"0 0 340 150\"")) << code;
  EXPECT_FALSE(holds(code, "http")) << code;
  std::size_t circles = 0;
  for (std::size_t at = 0; (at = code.find("<circle", at)) != std::string::npos; ++at) ++circles;
  EXPECT_EQ(circles, 4U) << "two points in each form; NaN is left out";
  EXPECT_TRUE(holds(code, "fill=\"var(--gold)\"")) << code;
}

TEST(ReportGnuplotTest, FailureIsOneMessage) {
  const Gnuplot gnuplot;
  try {
    gnuplot.draw("set encoding utf8\nset xrange [0:1]\nplot nonsense(\n");
    FAIL() << "a broken script was drawn";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "gnuplot failed: invalid expression (script line 3: plot nonsense()");
  }
  EXPECT_THROW(Gnuplot("/nonexistent/gnuplot").draw("plot x\n"), Error);
}

TEST(ReportGnuplotTest, TheErrorIsSaidNotTheWarningsBeforeIt) {
  const std::string script = "set encoding utf8\nset xrange [1:1]\nplot x\n";
  const std::string warnings =
      "\"/dev/stdin\" line 1: warning: iconv failed to convert degree sign\n"
      "Warning: empty y range [1:1], adjusting to [0.99:1.01]\n\n";
  EXPECT_EQ(gnuplot_error(warnings + "plot x\n     ^\n\"/dev/stdin\" line 3: x range is invalid\n",
                          script),
            "x range is invalid (script line 3: plot x)");
  EXPECT_EQ(gnuplot_error(warnings + "cannot open shared object\n", script),
            "cannot open shared object");
  EXPECT_EQ(gnuplot_error(warnings, script), "no message");
}

TEST(ReportGnuplotTest, MissingProgramNamesThePackage) {
  const char* const old = std::getenv("PATH");
  ASSERT_NE(old, nullptr);
  const std::string path = old;
  setenv("PATH", "/nonexistent", 1);
  const std::string message = test::input_error([] { const Gnuplot gnuplot; });
  setenv("PATH", path.c_str(), 1);
  test::expect_message(message, "gnuplot", "PATH", "gnuplot-nox");
}

}  // namespace
}  // namespace cdt
