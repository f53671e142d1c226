"""Fetch a public archive: resumable, checksummed, and never half there.

A file on its way is called `NAME.part`. It takes its name only when its size and MD5 are those of
the archive's own record. A zip is unpacked into a folder on its way, which takes its name last.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .base import CorpusError
from .grid import RECORD, TALKERS

GRID_API = "https://zenodo.org/api/records/3625687"
BLOCK = 1 << 18

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that are here, and the bytes that it has."""


@dataclass(frozen=True)
class Remote:
    """A file of an archive: name, address, size in bytes, MD5 in hexadecimal."""

    name: str
    url: str
    size: int
    md5: str


def record(url: str = GRID_API) -> dict[str, Remote]:
    """What an archive's record lists: name -> file.

    Parameters
    ----------
    url : of the record's JSON

    Raises
    ------
    CorpusError : it cannot be reached, or is no record with MD5 sums.
    """
    try:
        with urlopen(_request(url), timeout=60) as answer:
            found = json.load(answer)
        return {
            entry["key"]: Remote(
                name=entry["key"],
                url=entry["links"]["self"],
                size=int(entry["size"]),
                md5=entry["checksum"].removeprefix("md5:"),
            )
            for entry in found["files"]
        }
    except (OSError, http.client.HTTPException) as error:
        raise CorpusError(
            f"{url}: the archive's record cannot be read ({error}); check the network, or download "
            f"the files by hand from {RECORD}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"{url}: expected a record with files, sizes and MD5 sums, and found something else "
            f"({type(error).__name__}: {error}); download by hand from {RECORD}"
        ) from error


def _request(url: str, **headers: str) -> Request:
    if not url.startswith(("https://", "http://")):
        raise CorpusError(f"{url!r}: expected an address that begins with https:// or http://")
    return Request(url, headers={"User-Agent": "avsep-core", **headers})


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _intact(path: Path, remote: Remote) -> bool:
    return path.is_file() and path.stat().st_size == remote.size and _md5(path) == remote.md5


def fetch(
    remote: Remote,
    folder: str | os.PathLike[str],
    *,
    attempts: int = 6,
    pause: float = 2.0,
    progress: Progress | None = None,
) -> Path:
    """Download one file, going on where an earlier try stopped.

    Parameters
    ----------
    remote : which file
    folder : where to put it
    attempts : how many tries in a row may bring nothing new, and how often it may arrive damaged
    pause : seconds before the second try, twice as long before each further vain one
    progress : told how far it is

    Returns
    -------
    Path of the complete, verified file. One that is already there and intact is kept as it is.

    Raises
    ------
    CorpusError : every try failed or arrived damaged; what arrived intact stays in `NAME.part`.
    """
    if re.fullmatch(r"[\w-][\w.-]*", remote.name) is None:
        raise CorpusError(f"the archive names a file {remote.name!r}; expected a plain file name")
    path = Path(folder) / remote.name
    if _intact(path, remote):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"{folder}: no folder can be made there ({error})") from error
    if path.is_dir():
        raise CorpusError(f"{path} is a folder where a file was expected; rename or delete it")
    part = path.with_name(f"{remote.name}.part")
    vain = damaged = 0
    furthest = _size(part)
    while True:
        trouble = "the connection ended early"
        try:
            _receive(remote, part, progress)
        except (OSError, http.client.HTTPException) as error:
            trouble = f"{type(error).__name__}: {error}"
            if isinstance(error, HTTPError) and error.code in (401, 403, 404, 410):
                vain = attempts
        if _size(part) >= remote.size:
            if _intact(part, remote):
                os.replace(part, path)
                return path
            part.unlink(missing_ok=True)
            furthest, damaged = 0, damaged + 1
            trouble = "it arrived damaged: its MD5 is not the record's"
        vain = 0 if _size(part) > furthest else vain + 1
        furthest = max(furthest, _size(part))
        if max(vain, damaged) >= attempts:
            raise CorpusError(
                f"{remote.url}: could not be downloaded ({trouble}; {_size(part)} of {remote.size} "
                f"bytes are here); run the same command again to go on, or put the file at {path} "
                "by hand"
            )
        time.sleep(pause * 2 ** max(vain + damaged - 1, 0))


def _receive(remote: Remote, part: Path, progress: Progress | None) -> None:
    """Append to `part` what is still missing, or start afresh where the server cannot resume."""
    here = _size(part)
    if here >= remote.size:
        return
    headers = {"Range": f"bytes={here}-"} if here else {}
    with urlopen(_request(remote.url, **headers), timeout=60) as answer:
        resumed = answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), here)
        if answer.status == 206 and not resumed:
            part.unlink(missing_ok=True)
            raise OSError(f"asked for bytes from {here}, got {answer.headers.get('Content-Range')}")
        here = here if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                here += len(block)
                if progress is not None:
                    progress(remote.name, here, remote.size)


def _starts_at(content_range: str | None, position: int) -> bool:
    return content_range is not None and content_range.startswith(f"bytes {position}-")


def unpack(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], *, suffix: str, keep: int = 1
) -> Path:
    """Unpack the files of a zip that end in `suffix`, all of them or none.

    Parameters
    ----------
    archive : the zip
    folder : made anew; it must not exist
    suffix : such as ".mpg"; other files are left out
    keep : how many of the last parts of a file's path inside the zip to keep: 1 puts all files
        into `folder`, 2 keeps their own folder

    Returns
    -------
    The folder.

    Raises
    ------
    CorpusError : no zip, a damaged one, a file that would land outside the folder, nothing with
        that suffix, or a folder that exists.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise CorpusError(f"{folder} exists already; rename or delete it to unpack {archive} again")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as bundle:
            wanted = [m for m in bundle.infolist() if _wanted(archive, m, suffix)]
            if not wanted:
                raise CorpusError(f"{archive}: holds no {suffix} file; download it again")
            for member in wanted:
                target = part.joinpath(*PurePosixPath(member.filename).parts[-keep:])
                target.parent.mkdir(parents=True, exist_ok=True)
                with bundle.open(member) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file)
        os.rename(part, folder)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        raise CorpusError(f"{archive}: cannot be unpacked ({error}); download it again") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _full(cause: BaseException | None) -> bool:
    """Whether unpacking failed for want of room or rights, which is not the archive's fault."""
    return isinstance(cause, OSError) and not isinstance(cause, FileExistsError)


def _make_room(folder: Path, suffix: str) -> None:
    """Remove an empty folder that stands where another is to be made; refuse anything else."""
    if not folder.exists():
        return
    try:
        folder.rmdir()
    except OSError as error:
        raise CorpusError(
            f"{folder}: expected a folder of {suffix} files, and found something else; rename or "
            "delete it"
        ) from error


def _holds(folder: Path, suffix: str) -> bool:
    return folder.is_dir() and next(folder.rglob(f"*{suffix}"), None) is not None


def _wanted(archive: Path, member: zipfile.ZipInfo, suffix: str) -> bool:
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in path.parts[0]:
        raise CorpusError(
            f"{archive}: holds a file {member.filename!r} that would land outside the folder; "
            "nothing was unpacked; download the archive again from its official record"
        )
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not member.is_dir() and not hidden and path.suffix == suffix


def grid(
    folder: str | os.PathLike[str],
    speakers: Sequence[str] | str | None = None,
    *,
    api: str = GRID_API,
    attempts: int = 6,
    pause: float = 2.0,
    progress: Progress | None = None,
) -> Path:
    """Download GRID into its official layout: `s1/*.mpg`, …, `alignments/s1/*.align`.

    What is already there is kept, so that the same call goes on after an interruption. An archive
    is deleted once it is unpacked, and also where its content turns out to be unusable.

    Parameters
    ----------
    folder : where to put it; then the data_root of `open_corpus("grid", data_root)`
    speakers : such as ["s1", "s4"] or "s1"; default everybody with a video, about 16 GB
    api, attempts, pause, progress : see `record` and `fetch`

    Returns
    -------
    The folder.

    Raises
    ------
    CorpusError : an unknown speaker, no network, a file that cannot be had whole, or a folder
        that cannot be written.
    """
    speakers = [speakers] if isinstance(speakers, str) else speakers
    chosen = list(dict.fromkeys(speakers or TALKERS))
    unknown = [speaker for speaker in chosen if speaker not in TALKERS]
    if unknown:
        raise CorpusError(
            f"grid: no video of {', '.join(unknown)}; the speakers with videos are "
            f"{' '.join(TALKERS)}"
        )
    folder = Path(folder).expanduser()
    steps = [("alignments", ".align", 2), *((speaker, ".mpg", 1) for speaker in chosen)]
    missing = [step for step in steps if not _holds(folder / step[0], step[1])]
    remotes = record(api) if missing else {}
    for name, suffix, keep in missing:
        if f"{name}.zip" not in remotes:
            raise CorpusError(f"{api}: the record holds no {name}.zip; see {RECORD}")
        remote = remotes[f"{name}.zip"]
        _make_room(folder / name, suffix)
        archive = fetch(remote, folder, attempts=attempts, pause=pause, progress=progress)
        try:
            unpack(archive, folder / name, suffix=suffix, keep=keep)
        except CorpusError as error:
            if _full(error.__cause__):
                raise
            archive.unlink(missing_ok=True)
            raise CorpusError(f"{error}; {archive.name} was deleted") from error
        archive.unlink()
    return folder
