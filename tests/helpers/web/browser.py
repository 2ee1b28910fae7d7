"""A customer's browser: Chromium without a window, and what a person would notice about a page, measured by script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS = ("chromium", "google-chrome", "chrome")
# Nothing but the pages under test: no first-run dialogue, no updates, no talk with anybody outside.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = 1280, 390
PATIENCE_SECONDS = 10

# Every text that is seen, with the contrast between its colour and what lies under it.
_TEXTS = """
const rgb = text => (text.match(/[0-9.]+/g) || []).map(Number);
const ground = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
  }
  const schemes = getComputedStyle(document.documentElement).colorScheme;
  const dark = schemes.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
  return dark ? [18, 18, 18] : [255, 255, 255];
};
const light = colour => {
  const [r, g, b] = colour.map(part => part / 255).map(
    part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const found = [];
for (const element of document.body.querySelectorAll("*")) {
  const own = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent.trim());
  const text = own.join("") || (element.tagName === "INPUT" ? element.value || element.name : "");
  if (!text || !element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
  const ink = light(rgb(getComputedStyle(element).color)), paper = light(ground(element));
  found.push([text, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)]);
}
return found;
"""
_SOUND = """
return {lang: document.documentElement.lang, title: document.title, headings: document.querySelectorAll("h1").length,
        images: [...document.images].filter(image => !image.alt).length,
        unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
          .filter(field => !field.labels.length || !field.labels[0].innerText.trim()).map(field => field.name),
        foreign: performance.getEntriesByType("resource").map(entry => entry.name)
          .filter(name => !name.endsWith("/favicon.ico"))};
"""
_OUTLINE = """
const style = getComputedStyle(document.activeElement);
return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
"""
_NAME = """
const at = document.activeElement;
return at === document.body ? "" : (at.labels && at.labels.length ? at.labels[0].firstChild : at).textContent.trim();
"""


class Customer:
    """A person in front of a browser. `driver` is Selenium's, for what has no word here."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    # -- what the customer sees ----------------------------------------------------------------------

    @property
    def address(self) -> str:
        return str(self.driver.current_url)

    @property
    def heading(self) -> str:
        return self.one("h1").text

    @property
    def text(self) -> str:
        """The page as it is read, in one line."""
        return " ".join(self.one("body").text.split())

    @property
    def focused(self) -> str:
        """The name of what has the focus, as it is read aloud: its label or its text."""
        return str(self.driver.execute_script(_NAME))

    @property
    def focus_width(self) -> float:
        """How many pixels wide the focus is outlined; 0 is invisible."""
        return float(self.driver.execute_script(_OUTLINE))

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def has(self, selector: str) -> bool:
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def faint_texts(self, at_least: float = 4.5) -> list[str]:
        """Every visible text whose contrast is under the ratio that WCAG asks for."""
        texts: list[Any] = self.driver.execute_script(_TEXTS)
        assert texts, "a page without a text was measured"
        return [f"{text}: {ratio:.2f}" for text, ratio in texts if ratio < at_least]

    def soundness(self) -> dict[str, Any]:
        """What a screen reader needs, and what the page loads besides itself."""
        return dict(self.driver.execute_script(_SOUND))

    def complaints(self) -> list[str]:
        """What the browser refused on pages since it was last asked, a policy's violations say; not their statuses."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium leaves it untyped
        return [entry["message"] for entry in entries if "Failed to load resource" not in entry["message"]]

    def hidden_pixels(self) -> int:
        """How far the page is wider than the window."""
        root = "document.documentElement"
        return int(self.driver.execute_script(f"return {root}.scrollWidth - {root}.clientWidth"))

    # -- what the customer does ----------------------------------------------------------------------

    def visit(self, address: str) -> None:
        self.driver.get(address)

    def press(self, *keys: str) -> None:
        """Keys on the keyboard, to whatever has the focus."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def tab(self) -> str:
        """Tab once; what has the focus then."""
        self.press(Keys.TAB)
        return self.focused

    def tab_back(self) -> str:
        """Shift and Tab; what has the focus then."""
        ActionChains(self.driver, duration=0).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
        return self.focused

    def leave_by(self, selector: str) -> None:
        """Click on something that leads to another page, and wait for that page."""
        with self.next_page():
            self.one(selector).click()

    @contextmanager
    def next_page(self) -> Iterator[None]:
        """What is done inside leads to another page; it is loaded afterwards."""
        self.driver.execute_script("window.before = true")
        yield
        waiting = WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.02)
        waiting.until(
            lambda driver: driver.execute_script("return !window.before && document.readyState === 'complete'")
        )

    def follow_into_new_tab(self, frame: str, selector: str) -> None:
        """Click on a link inside a frame; what it opens becomes the page in front, the old tab is closed."""
        self.driver.switch_to.frame(self.one(frame))
        self.one(selector).click()
        WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.02).until(
            lambda driver: len(driver.window_handles) > 1
        )
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[-1])

    def pay_with(self, number: str, name: str = "Grace Hopper") -> None:
        """Type a card into the checkout page and send it."""
        values = {"card_number": number, "card_expiry": "12 / 40", "card_cvc": "123", "card_name": name}
        for field, value in values.items():
            box = self.one(f"#{field}")
            box.clear()
            box.send_keys(value)
        self.leave_by("form button")

    def look_at(self, *, width: int = WIDE, dark: bool = False) -> None:
        """A window of this width, and the colours that the customer prefers."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == NARROW},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@contextmanager
def opened_browser(profile: Path) -> Iterator[Customer]:
    """A browser with a profile of its own; skips the test on a machine without one."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    service = shutil.which("chromedriver")
    if binary is None or service is None:
        pytest.skip("no Chromium on this machine")
    options = ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=ChromeService(executable_path=service))
    try:
        yield Customer(driver)
    finally:
        driver.quit()
