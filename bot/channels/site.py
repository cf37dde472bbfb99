"""The pages: the demo (with the simulated utility) or a plain page, and the widget that any site may embed."""

from __future__ import annotations

import hashlib
import html
from pathlib import Path

from fastapi import APIRouter, Request, Response

from integrations.base.utility import Utility

PAGES = Path(__file__).parent / "pages"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
# The widget styles itself inside its shadow root by a constructed sheet, so no inline styles or scripts are allowed.
_POLICY = "default-src 'self'; img-src 'self' data: https:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"


def router(demo: bool, facts: Utility) -> APIRouter:
    """The routes.

    Args:
        demo: whether `/` is the demo page.
        facts: name and numbers, shown on the pages.
    """
    routes = APIRouter()
    values = {"utility": facts.utility, "person": facts.human_phone, "emergency": facts.emergency_phone}
    page = _filled((PAGES / ("demo.html" if demo else "plain.html")).read_text(encoding="utf-8"), values)
    files = {
        path.name: path.read_bytes() for path in PAGES.iterdir() if path.suffix in _TYPES and path.suffix != ".html"
    }
    marks = {name: f'"{hashlib.sha256(content).hexdigest()[:20]}"' for name, content in files.items()}

    @routes.get("/", include_in_schema=False)
    async def front() -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(page, media_type=_TYPES[".html"], headers=headers)

    @routes.get("/widget.js", include_in_schema=False)
    async def widget(request: Request) -> Response:
        return _file("widget.js", request)

    @routes.get("/pages/{name}", include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        return _file(name, request)

    def _file(name: str, request: Request) -> Response:
        if name not in files:
            return Response(status_code=404)
        headers = {
            "ETag": marks[name],
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if request.headers.get("if-none-match") == marks[name]:
            return Response(status_code=304, headers=headers)
        return Response(files[name], media_type=_TYPES[Path(name).suffix], headers=headers)

    return routes


def _filled(page: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        page = page.replace("{{" + name + "}}", html.escape(value))
    return page
