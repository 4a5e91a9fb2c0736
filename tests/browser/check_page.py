"""Inspects a report in a browser as a user would see it: on a phone and a desktop, light and dark, and in
print. Prints one line per finding; exit status 1 if there is one.

    check_page.py BROWSER PAGE.html [SCREENSHOT_FOLDER]
"""

import base64
import pathlib
import sys

from devtools import Browser

SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desk": (1280, 900)}

# Layout errors, as a list of texts. A box that scrolls by itself may be wider inside.
LOOK = r"""(() => {
  const out = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width)
    out.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
  const name = e => `${e.tagName} "${(e.textContent || '').trim().slice(0, 40)}"`;
  const visible = e => e.getClientRects().length > 0;
  for (const e of document.querySelectorAll('main *')) {
    if (!visible(e) || e.closest('svg') || e.parentElement.closest('.scroll, .command')) continue;
    if (e.getBoundingClientRect().right > width + 1) out.push(`${name(e)} reaches past the window`);
    const clips = getComputedStyle(e).overflowX === 'hidden';
    if (clips && e.scrollWidth > e.clientWidth + 1) out.push(`${name(e)} is cut off`);
  }
  for (const figure of document.querySelectorAll('figure')) {
    const drawn = [...figure.querySelectorAll('svg')].filter(visible);
    if (drawn.length !== 1) out.push(`${name(figure)} shows ${drawn.length} pictures, not one`);
    for (const svg of drawn) {
      const frame = svg.getBoundingClientRect();
      if (frame.width < 240 || frame.height < 60) out.push(`${name(figure)}: the picture is tiny`);
      for (const text of svg.querySelectorAll('text')) {
        const box = text.getBoundingClientRect();
        if (box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                              box.top < frame.top - 1 || box.bottom > frame.bottom + 1))
          out.push(`${name(figure)}: the label "${text.textContent.trim()}" is cut off`);
        if (box.height > 0 && Math.min(box.height, box.width || box.height) < 5)
          out.push(`${name(figure)}: the label "${text.textContent.trim()}" is too small to read`);
      }
    }
  }
  // Contrast of text to the page (WCAG 2.1: 4.5).
  const rgb = text => (text.match(/[\d.]+/g) || []).map(Number);
  const light = c => { const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
                       return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const paper = light(rgb(getComputedStyle(document.body).backgroundColor));
  const seen = new Set();
  for (const e of document.querySelectorAll('p, li, th, td, h1, h2, h3, summary, dt, dd, svg text')) {
    if (!visible(e)) continue;
    const style = getComputedStyle(e);
    const ink = e.closest('svg') ? style.fill : style.color;
    const value = light(rgb(ink));
    const contrast = (Math.max(value, paper) + 0.05) / (Math.min(value, paper) + 0.05);
    if (contrast < 4.5 && !seen.has(ink)) {
      seen.add(ink);
      out.push(`${name(e)}: contrast ${contrast.toFixed(1)} (${ink})`);
    }
  }
  return out;
})()"""


def requests_that_leave(browser, page):
    """Addresses that the page requested besides its own."""
    urls = [e["params"]["request"]["url"] for e in browser.events
            if e.get("method") == "Network.requestWillBeSent"]
    return [u for u in urls if u != page and not u.startswith("data:")]


def complaints(browser):
    """What the browser logged: errors, blocked requests."""
    return [e["params"]["entry"]["text"] for e in browser.events
            if e.get("method") == "Log.entryAdded"]


def look(browser, page, size, scheme, screenshots):
    """Findings at one size in one colour scheme, and the page's background."""
    width, height = SIZES[size]
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if size == "phone" else 1, mobile=size == "phone")
    browser.call("Emulation.setEmulatedMedia", media="screen",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    browser.call("Page.navigate", url=page)
    browser.wait_for("Page.loadEventFired")
    found = browser.evaluate(LOOK)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found += [f + " (unfolded)" for f in browser.evaluate(LOOK) if f not in found]
    found += ["asks for " + u for u in requests_that_leave(browser, page)]
    found += ["the browser says: " + c for c in complaints(browser)]
    if screenshots:
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
        picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
        (screenshots / f"{size}-{scheme}.png").write_bytes(base64.b64decode(picture["data"]))
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    return [f"{size}, {scheme}: {f}" for f in found], background


def print_page(browser, screenshots):
    """Findings on A4 paper."""
    pdf = base64.b64decode(browser.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69,
                                        printBackground=True)["data"])
    if screenshots:
        (screenshots / "page.pdf").write_bytes(pdf)
    pages = pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/")
    if not pdf.startswith(b"%PDF") or pages < 1:
        return ["print: no PDF with pages"]
    browser.call("Emulation.setDeviceMetricsOverride", width=700, height=1000,
                 deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", media="print",
                 features=[{"name": "prefers-color-scheme", "value": "dark"}])
    found = browser.evaluate(LOOK)
    ink = browser.evaluate("getComputedStyle(document.body).color")
    if sum(int(v) for v in ink[4:-1].split(",")) > 300:
        found.append(f"dark colours on paper: {ink}")
    return ["print: " + f for f in found]


def main():
    program, file = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    screenshots = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    found, backgrounds = [], {}
    with Browser(program) as browser:
        for domain in ("Page", "Network", "Log"):
            browser.call(domain + ".enable")
        for size in SIZES:
            for scheme in ("light", "dark"):
                more, backgrounds[scheme] = look(browser, file.as_uri(), size, scheme, screenshots)
                found += more
        found += print_page(browser, screenshots)
    if backgrounds["light"] == backgrounds["dark"]:
        found.append("light and dark look the same")
    print("\n".join(found) if found else "nothing found")
    sys.exit(1 if found else 0)


main()
