"""Colours of the website chat: how well they can be read, and the shades that follow from the shop's own one.

Contrast is WCAG's: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

READABLE = 4.5
DEFAULT_BRAND = "#0d5547"

# What is below everything in the panel, and the bubbles on it; the style sheet has the same (see tests).
LIGHT_PAPER, LIGHT_SOFT = "#ffffff", "#f1f4f2"
DARK_PAPER, DARK_SOFT = "#161a19", "#252b29"
# As much as a shape needs to stand out from what it lies on without shouting.
_VISIBLE = 1.9
# On dark, more than what is just readable is easier on the eyes, and a colour that is too lively is not.
_BRIGHT, _CALM = 6.0, 0.55
_STEPS = 100


@dataclass(frozen=True)
class Palette:
    """The shop's colour as it is used in one theme."""

    # Behind white text: the top, the customer's own bubbles, the buttons.
    brand: str
    # The same under the pointer.
    brand_hover: str
    # Small text on it that is less important than the white.
    brand_quiet: str
    # Text, outlines and rings of the shop's colour on paper, on bubbles and on the tint.
    accent: str
    # A breath of it, behind the accent.
    tint: str

    def variables(self) -> Mapping[str, str]:
        """The palette by the names that the style sheets use."""
        return {f"--{name.replace('_', '-')}": colour for name, colour in vars(self).items()}


def is_colour(text: str) -> bool:
    """Whether this is a colour as #rrggbb or #rgb."""
    return re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", text) is not None


def full_form(colour: str) -> str:
    """#ABC as #aabbcc."""
    digits = colour[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(one: str, other: str) -> float:
    """How well one colour can be read on the other: 1 (not at all) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """The first colour with a share (0 to 1) of the other in it."""
    channels = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in channels)


def readable_shade(colour: str) -> str:
    """The nearest darker shade on which white can be read; the colour itself if it can be."""
    return _until(colour, "#000000", lambda shade: contrast(shade, "#ffffff") >= READABLE)


def light_palette(brand: str) -> Palette:
    """The palette on white; `brand` must let white be read."""
    tint = mix(brand, LIGHT_PAPER, 0.9)
    accent = _until(
        brand, "#000000", lambda shade: min(contrast(shade, surface) for surface in (LIGHT_SOFT, tint)) >= READABLE
    )
    return Palette(brand, _hover(brand), _quiet(brand), accent, tint)


def dark_palette(brand: str) -> Palette:
    """The palette on the dark paper; `brand` must let white be read, and still does where it is made lighter."""

    def lighter_still_carries_white(shade: str) -> bool:
        return contrast(shade, DARK_PAPER) >= _VISIBLE or contrast(mix(shade, "#ffffff", 0.02), "#ffffff") < READABLE

    filled = _until(brand, "#ffffff", lighter_still_carries_white)
    tint = mix(DARK_PAPER, filled, 0.35)
    surfaces = (DARK_PAPER, DARK_SOFT, tint)
    shades = (_lightened(brand, step / _STEPS) for step in range(_STEPS + 1))
    accent = next(shade for shade in shades if min(contrast(shade, below) for below in surfaces) >= _BRIGHT)
    return Palette(filled, _hover(filled), _quiet(filled), accent, tint)


def _lightened(colour: str, share: float) -> str:
    """Nearer to white, and yet the same colour: mixed with white it would turn grey."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _channels(colour)))
    channels = colorsys.hls_to_rgb(hue, lightness + (1 - lightness) * share, min(saturation, _CALM))
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _hover(brand: str) -> str:
    """Darker, so that white reads even better; a colour that is nearly black becomes lighter."""
    darker = mix(brand, "#000000", 0.2)
    return darker if contrast(brand, "#000000") > 1.6 else mix(brand, "#ffffff", 0.18)


def _quiet(brand: str) -> str:
    return _until(mix("#ffffff", brand, 0.18), "#ffffff", lambda shade: contrast(shade, brand) >= READABLE)


def _until(colour: str, towards: str, enough: Callable[[str], bool]) -> str:
    """The colour, taken just so far towards another one that it is enough."""
    for step in range(_STEPS):
        shade = mix(colour, towards, step / _STEPS)
        if enough(shade):
            return shade
    return towards


def _channels(colour: str) -> tuple[int, int, int]:
    digits = full_form(colour)[1:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
