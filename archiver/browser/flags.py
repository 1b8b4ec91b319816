"""How Chromium is started. Each flag keeps it from talking by itself, or makes it tell the truth about itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

NOWHERE = "127.0.0.1:9"
"""What is no context's has no way out: the discard port, where nobody listens."""

_FEATURES_OFF = (
    # Chromium hears the last of such flags only: those that Playwright turns off are named again
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "TcpPortRandomizationWin", "ThirdPartyStoragePartitioning",
    # nothing of Chromium's own accord
    "AsyncDns", "AutofillServerCommunication", "CertificateTransparencyComponentUpdater", "DialMediaRouteProvider",
    "DnsOverHttpsUpgrade", "EncryptedClientHello", "GlobalMediaControls", "InterestFeedContentSuggestions",
    "Translate",
    # the address bar's suggestions are pages of their own, drawn anew for each window: half of what a page costs
    "WebUIOmniboxAimPopup", "WebUIOmniboxPopup",
)  # fmt: skip
_ALWAYS = (
    # every name is resolved where we dial; nothing else is looked up
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--no-first-run",
    "--metrics-recording-only",
    "--dns-prefetch-disable",
    "--autoplay-policy=user-gesture-required",
    "--hide-scrollbars",
)


def arguments(*, spki: str, sandbox: bool) -> list[str]:
    """The command line, without what Playwright adds itself. `spki` is the recording proxy's pin."""
    features = f"--disable-features={','.join(_FEATURES_OFF)}"
    own = [*_ALWAYS, features, f"--ignore-certificate-errors-spki-list={spki}"]
    return own if sandbox else [*own, "--no-sandbox"]


def told_without_sandbox(environ: Mapping[str, str]) -> str | None:
    """What a run says once at its start where Chromium has no sandbox; None where it has one."""
    if has_sandbox(environ):
        return None
    why = "as root" if os.geteuid() == 0 else "in a container"
    return f"Chromium runs without its sandbox, because we run {why}; give it a user of its own where pages are hostile"


def has_sandbox(environ: Mapping[str, str]) -> bool:
    """False as root and in a container, where Chromium's sandbox cannot be set up: it is left out there, and told."""
    return os.geteuid() != 0 and not in_container(environ)


def in_container(environ: Mapping[str, str]) -> bool:
    """Whether we run in a container that says so (Docker, Podman, systemd-nspawn, Kubernetes)."""
    if environ.get("container") or environ.get("KUBERNETES_SERVICE_HOST"):
        return True
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
