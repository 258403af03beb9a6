"""One WebSocket of uvicorn, of which a client cannot fill the log."""

from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

INVALID_DATA: Final = 1007
"""RFC 6455, 7.4.1."""


class Socket(WebSocketsSansIOProtocol):
    """Text that is no UTF-8 closes the socket. Where uvicorn finds that out it writes a traceback,
    and another one when the socket is closing already.
    """

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not self._is_text():
            self._fail()
        else:
            super().send_receive_event_to_app()

    def _is_text(self) -> bool:
        try:
            b"".join(self.frames).decode()
        except UnicodeDecodeError:
            return False
        return True

    def _fail(self) -> None:
        """As a close of the application's: what still comes is read for a while, as hanging up on
        it would take the reason away from the client, too.
        """
        self.frames = []
        if self.conn.state is not State.OPEN:
            return  # the client has left behind it
        self.queue.put_nowait({"type": "websocket.disconnect", "code": INVALID_DATA})
        self.conn.send_close(INVALID_DATA)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
