"""What Chromium says of its requests before the proxy sees them: type, frame, whether it navigates the page."""

from __future__ import annotations

from collections import OrderedDict

from playwright.async_api import Error, Page, Request

from archiver.ports.browser import Announced

REMEMBERED = 2_000


class Announcements:
    """For one page; the latest word on each (method, URL) stands."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._said: OrderedDict[tuple[str, str], Announced] = OrderedDict()

    def add(self, request: Request) -> None:
        url = request.url.partition("#")[0]
        main, navigation, popup = self._frame(request)
        said = Announced(
            url=url,
            method=request.method,
            resource_type=request.resource_type.lower(),
            main=main,
            navigation=navigation,
            popup=popup,
        )
        self._said[said.method, url] = said
        self._said.move_to_end((said.method, url))
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    def _frame(self, request: Request) -> tuple[bool, bool, bool]:
        """(main, navigation, popup). A service worker's request has no frame, nor has that of a window being opened."""
        navigation = request.is_navigation_request()
        try:
            frame = request.frame
            page = frame.page
        except Error:
            return False, navigation, navigation
        own = page is self._page
        return own and navigation and frame is page.main_frame, navigation, not own

    def of(self, url: str, method: str) -> Announced | None:
        return self._said.get((method, url))
