"""The choke point: every request of every lane is admitted, dialled, judged and recorded here, on ports only.

1 admit   scope, exclusions, address, robots, pace          -> Decision   (`admit`)
2 dial    through the Client port, to a vetted address only  -> Exchange   (`gate`)
3 keep    X-Robots-Tag, meta, size                           -> Keep       (`gate`, rules in `policy.keep`)
4 record  request + response|revisit + decision, then rows   -> Recorded   (`record`)
"""

from archiver.gateway.gate import Gate
from archiver.gateway.parts import GatePolicy, GatePorts

__all__ = ["Gate", "GatePolicy", "GatePorts"]
