"""How pictures look: a title in words, few lines, colours that can be told apart by everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg  # type: ignore[import-untyped,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-untyped,unused-ignore]
from matplotlib.patches import Patch  # type: ignore[import-untyped,unused-ignore]
from matplotlib.ticker import FuncFormatter, MaxNLocator  # type: ignore[import-untyped,unused-ignore]

from bot.reports.months import MonthFigures

# From the palette of Okabe and Ito.
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#666666"
LIGHT = {BLUE: "#99C7E0", ORANGE: "#F5D899"}
WIDTH_INCHES, DOTS_PER_INCH = 9.0, 150
# More names than this below an axis run into each other.
NAMES_AT_MOST = 13


class Picture:
    """A figure with a title, a line that explains it, and axes one below the other."""

    def __init__(self, title: str, subtitle: str, *, height: float, rows: int = 1, grid: bool = True) -> None:
        self._figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, facecolor="white")
        FigureCanvasAgg(self._figure)
        self.axes: list[Any] = [self._figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
        for axes in self.axes:
            _tidy(axes, grid)
        self._title, self._subtitle, self._height = title, subtitle, height

    def heading(self, axes: Any, text: str) -> None:
        """What one of several axes shows, above it on the left."""
        axes.set_title(text, loc="left", fontsize=10)

    def legend(self, axes: Any, names: Mapping[str, str]) -> None:
        """Say which colour is what, above the axes on the right."""
        patches = [Patch(color=colour, label=name) for name, colour in names.items()]
        axes.legend(handles=patches, loc="lower right", bbox_to_anchor=(1, 1), ncol=len(patches), frameon=False,
                    fontsize=9, borderaxespad=0.2, handlelength=1, handleheight=1)  # fmt: skip

    def whole_numbers(self) -> None:
        """Only whole numbers up the sides."""
        for axes in self.axes:
            axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))

    def save(self, path: Path) -> None:
        """Write it as a PNG."""
        top = 1 - 0.72 / self._height
        self._figure.tight_layout(rect=(0, 0, 1, top), h_pad=1.6)
        self._figure.text(0.012, 1 - 0.16 / self._height, self._title, fontsize=13, weight="bold", va="top")
        self._figure.text(0.012, 1 - 0.44 / self._height, self._subtitle, fontsize=9.5, color=GREY, va="top")
        self._figure.savefig(path, metadata={"Title": self._title})


def _tidy(axes: Any, grid: bool) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
    axes.tick_params(length=0, labelsize=9)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def label_months(axes: Any, months: Sequence[MonthFigures], *, names: bool = True) -> None:
    """The months along the bottom: all of them, or every second one …"""
    axes.set_xlim(-0.6, len(months) - 0.4)
    if not names:
        axes.set_xticks([])
        return
    step = -(-len(months) // NAMES_AT_MOST)
    # Counted from the last one, which people look for.
    shown = range(len(months) - 1, -1, -step)
    axes.set_xticks(list(shown), [f"{months[place].window.first_day:%b %Y}" for place in shown], fontsize=8.5)
