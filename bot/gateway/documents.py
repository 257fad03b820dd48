"""Pages made on the server from templates, for whoever holds a signed link: nothing in them runs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.gateway import settings

TEMPLATES = Path(__file__).parent / "templates"
# Stricter than our other pages: nothing runs here, and nothing is fetched but the style sheet (and pictures of ours).
_POLICY = "default-src 'none'; style-src 'self'; {pictures}base-uri 'none'; form-action {forms}; frame-ancestors 'none'"


def html_page(
    template: str, status: int = 200, *, has_form: bool = False, has_pictures: bool = False, **values: Any
) -> web.Response:
    """The template with everything that is filled in escaped; a page that is neither kept nor indexed."""
    return web.Response(
        text=_templates().get_template(template).render(**values),
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY.format(
                forms="'self'" if has_form else "'none'", pictures="img-src 'self'; " if has_pictures else ""
            ),
            "Cache-Control": "no-store",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        },
    )


def notice_page(request: web.Request, status: int, title: str, text: str) -> web.Response:
    """A page that says why there is nothing to see, what to do, and whom to write to."""
    return html_page("notice.html", status, shop=request.app[settings.SETTINGS].shop, title=title, text=text)


@functools.cache
def _templates() -> Environment:
    # Everything that is filled in is escaped, and a name that is misspelt fails.
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
