class Stamp:
    """The project's own downloader middleware."""

    def process_request(self, request):
        request.headers["X-Shop"] = "1"

    def process_response(self, request, response):
        response.flags.append("stamped")
        return response


class Gopher:
    lazy = True

    def __init__(self):
        raise AssertionError("a handler past the gateway was made")
