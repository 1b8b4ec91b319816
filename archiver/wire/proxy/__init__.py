"""The recording proxy: a loopback listener for each browser context, whose requests all go to one visit.

`peer`     only processes of this user are answered
`intake`   bytes from the browser to requests (HTTP/1.1 through a proxy, RFC 9112, 3.2.2 and 9110, 9.3.6)
`tls`      the key of the run, and TLS ended in memory inside a CONNECT
`relay`    an answer on its way to the browser while it is still coming in
`listener` a port and its connections
"""

from archiver.wire.proxy.listener import Proxy

__all__ = ["Proxy"]
