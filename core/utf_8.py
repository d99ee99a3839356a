"""Requests in other encodings than UTF-8 are refused before Django reads them."""

import re

CHARSET = re.compile(r"charset\s*=\s*[\"']?([^;\"'\s]*)", re.IGNORECASE)


def utf_8_only(application):
    """The WSGI application for requests in UTF-8, as every form of ours is sent; the rest gets 415.
    Around all else, because Django reads the query by whatever Python knows under the name that a
    request gives, and fails before any middleware with those that are no encodings of texts."""

    def guarded(environ, start_response):
        named = CHARSET.search(environ.get("CONTENT_TYPE", ""))
        if named is None or named[1].lower() in ("", "utf-8", "utf8"):
            return application(environ, start_response)
        start_response("415 Unsupported Media Type", [("Content-Type", "text/plain")])
        return [b"Send text in UTF-8.\n"]

    return guarded
