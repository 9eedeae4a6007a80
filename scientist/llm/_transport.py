"""A wire with ends: no answer is larger, and none takes longer, than was agreed. Slow drips and floods end here."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

LARGEST_ANSWER = 4 << 20
"""Bytes of one HTTP answer. The longest sensible completion is a tenth of that."""


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request, deadline: float) -> None:
        self._stream, self._request, self._deadline = stream, request, deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise httpx2.ReadError(f"the answer is larger than {LARGEST_ANSWER >> 20} MB", request=self._request)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer did not end in time", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class BoundedTransport(httpx2.HTTPTransport):
    """An HTTP transport whose answers end within `seconds` and :data:`LARGEST_ANSWER`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + self._seconds
        response = super().handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, request, deadline)
        return response
