"""Downloads: they go on where they stopped, refuse damage, and are whole or not there."""

import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import cli
from avsep_core.corpora import CorpusError, download
from avsep_core.corpora.download import Remote, fetch, record, unpack

DATA = np.random.default_rng(0).bytes(300_000)


class Archive:
    """A little web archive with the manners of real ones, good and bad."""

    def __init__(self, files: dict[str, bytes]):
        self.files, self.log = files, []
        self.resumes, self.drop_after, self.spoil = True, None, 0
        self.wrong_range = self.refuse = False
        archive = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                archive.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def remote(self, name: str) -> Remote:
        data = self.files[name]
        return Remote(name, f"{self.url}/{name}", len(data), hashlib.md5(data).hexdigest())

    def record(self) -> bytes:
        remotes = [self.remote(name) for name in self.files]
        return json.dumps(
            {
                "files": [
                    {
                        "key": remote.name,
                        "size": remote.size,
                        "checksum": f"md5:{remote.md5}",
                        "links": {"self": remote.url},
                    }
                    for remote in remotes
                ]
            }
        ).encode()

    def answer(self, request):
        name = request.path.strip("/")
        asked = request.headers.get("Range")
        self.log.append((name, asked))
        data = self.record() if name == "record" else self.files.get(name)
        if data is None or (self.refuse and name != "record"):
            request.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.resumes else 0
        body = data[start:]
        if self.spoil and name != "record":
            self.spoil -= 1
            body = bytes([body[0] ^ 1]) + body[1:]
        request.send_response(206 if asked and self.resumes else 200)
        if asked and self.resumes:
            told, body = (0, data) if self.wrong_range else (start, body)
            request.send_header("Content-Range", f"bytes {told}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.drop_after is not None and name != "record" and len(body) > self.drop_after:
            request.wfile.write(body[: self.drop_after])
            request.wfile.flush()
            request.connection.close()
        else:
            request.wfile.write(body)


@pytest.fixture
def archive():
    server = Archive({"a.bin": DATA})
    yield server
    server.close()


def test_a_file_arrives_whole_and_is_not_fetched_twice(archive, tmp_path):
    seen = []
    path = fetch(archive.remote("a.bin"), tmp_path / "new", progress=lambda *now: seen.append(now))
    assert path.read_bytes() == DATA
    assert seen[-1] == ("a.bin", len(DATA), len(DATA))
    fetch(archive.remote("a.bin"), tmp_path / "new")
    assert archive.log == [("a.bin", None)]
    assert [file.name for file in path.parent.iterdir()] == ["a.bin"]


def test_a_dropped_connection_is_resumed_where_it_stopped(archive, tmp_path):
    archive.drop_after = 70_000
    path = fetch(archive.remote("a.bin"), tmp_path, pause=0, attempts=2)
    assert path.read_bytes() == DATA
    asked = [wanted for _, wanted in archive.log]
    assert asked == [None, *(f"bytes={70_000 * k}-" for k in range(1, 5))]


def test_an_interrupted_download_goes_on_in_a_later_call(archive, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(DATA[:123_456])
    assert fetch(archive.remote("a.bin"), tmp_path).read_bytes() == DATA
    assert archive.log == [("a.bin", "bytes=123456-")]


def test_a_server_that_cannot_resume_sends_everything_again(archive, tmp_path):
    archive.resumes = False
    (tmp_path / "a.bin.part").write_bytes(b"x" * 1000)
    assert fetch(archive.remote("a.bin"), tmp_path).read_bytes() == DATA
    assert len(archive.log) == 1


def test_a_wrong_answer_to_a_resume_is_not_glued_on(archive, tmp_path):
    archive.wrong_range = True
    (tmp_path / "a.bin.part").write_bytes(DATA[:1000])
    assert fetch(archive.remote("a.bin"), tmp_path, pause=0).read_bytes() == DATA
    assert [wanted for _, wanted in archive.log] == ["bytes=1000-", None]


def test_a_server_that_gets_nowhere_is_given_up(archive, tmp_path):
    archive.wrong_range, archive.drop_after = True, 1000
    with pytest.raises(CorpusError, match="could not be downloaded"):
        fetch(archive.remote("a.bin"), tmp_path, pause=0, attempts=3)
    assert len(archive.log) < 10


def test_a_damaged_download_is_fetched_again(archive, tmp_path):
    archive.spoil = 1
    assert fetch(archive.remote("a.bin"), tmp_path, pause=0).read_bytes() == DATA
    assert len(archive.log) == 2


def test_a_damaged_part_and_a_damaged_file_are_replaced(archive, tmp_path):
    (tmp_path / "a.bin").write_bytes(DATA[:-1] + b"?")
    (tmp_path / "a.bin.part").write_bytes(b"?" * (len(DATA) + 9))
    assert fetch(archive.remote("a.bin"), tmp_path, pause=0).read_bytes() == DATA


def test_what_stays_damaged_is_never_taken_for_complete(archive, tmp_path):
    archive.spoil = 99
    with pytest.raises(CorpusError, match="damaged") as caught:
        fetch(archive.remote("a.bin"), tmp_path, pause=0, attempts=3)
    assert str(tmp_path / "a.bin") in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_arrived_before_giving_up_is_kept(archive, tmp_path):
    archive.drop_after = 0
    (tmp_path / "a.bin.part").write_bytes(DATA[:1000])
    with pytest.raises(CorpusError, match="1000 of 300000"):
        fetch(archive.remote("a.bin"), tmp_path, pause=0, attempts=2)
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin.part"]


def test_a_file_that_is_gone_is_not_asked_for_again(archive, tmp_path):
    archive.refuse = True
    with pytest.raises(CorpusError, match="404"):
        fetch(archive.remote("a.bin"), tmp_path, pause=0)
    assert len(archive.log) == 1


@pytest.mark.parametrize("name", ["../a.bin", "/etc/a", "b/a", "..", "b\\a"])
def test_names_that_leave_the_folder_are_refused(archive, tmp_path, name):
    with pytest.raises(CorpusError, match="plain file name"):
        fetch(Remote(name, archive.url, 1, ""), tmp_path)


def test_other_addresses_than_web_addresses_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="https"):
        fetch(Remote("a", f"file://{tmp_path}/a", 1, ""), tmp_path)


def test_a_record_that_is_none_is_refused(archive):
    archive.files["other"] = b'{"files": [{"key": "a"}]}'
    archive.files["text"] = b"<html>busy</html>"
    for name in ("other", "text"):
        with pytest.raises(CorpusError, match="expected a record"):
            record(f"{archive.url}/{name}")
    with pytest.raises(CorpusError, match="cannot be read"):
        record(f"{archive.url}/missing")


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return packed.getvalue()


@given(
    evil=st.sampled_from(
        ["../a.mpg", "/a.mpg", "s1/../../a.mpg", "C:\\a.mpg", "c:/a.mpg", "..\\a.mpg"]
    ),
    first=st.booleans(),
)
def test_a_zip_cannot_write_outside_its_folder(tmp_path_factory, evil, first):
    folder = tmp_path_factory.mktemp("zip")
    names = [evil, "s1/good.mpg"] if first else ["s1/good.mpg", evil]
    (folder / "a.zip").write_bytes(zipped(dict.fromkeys(names, b"x")))
    with pytest.raises(CorpusError, match="outside"):
        unpack(folder / "a.zip", folder / "deep" / "s1", suffix=".mpg")
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["a.zip"]


def test_a_broken_zip_leaves_no_folder(tmp_path):
    good = zipped({"s1/a.mpg": DATA, "s1/b.mpg": DATA})
    spoiled = bytearray(good)
    spoiled[len(good) * 3 // 4] ^= 1
    for data in (good[: len(good) // 2], bytes(spoiled), b"no zip", zipped({"s1/a.txt": b""})):
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(CorpusError, match="again"):
            unpack(tmp_path / "a.zip", tmp_path / "s1", suffix=".mpg")
        assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_unpacking_keeps_what_is_there_already(tmp_path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "a.zip").write_bytes(zipped({"s1/a.mpg": b"x"}))
    with pytest.raises(CorpusError, match="exists already"):
        unpack(tmp_path / "a.zip", tmp_path / "s1", suffix=".mpg")


@pytest.fixture
def grid_archive():
    server = Archive(
        {
            "s1.zip": zipped(
                {"s1/bbaf2n.mpg": DATA, "s1/Thumbs.db": b"", "__MACOSX/s1/._bbaf2n.mpg": b"no"}
            ),
            "s4.zip": zipped({"s4/video/mpg_6000/pwij3p.mpg": b"video"}),
            "alignments.zip": zipped(
                {"alignments/s1/bbaf2n.align": b"0 25000 sil\n", "alignments/s4/pwij3p.align": b""}
            ),
        }
    )
    yield server
    server.close()


def test_grid_arrives_in_its_official_layout_and_only_once(grid_archive, tmp_path):
    api = f"{grid_archive.url}/record"
    grid_archive.drop_after, grid_archive.spoil = 100_000, 1
    download.grid(tmp_path, ["s1"], api=api, pause=0)
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert files == ["alignments/s1/bbaf2n.align", "alignments/s4/pwij3p.align", "s1/bbaf2n.mpg"]
    assert (tmp_path / "s1" / "bbaf2n.mpg").read_bytes() == DATA
    grid_archive.log.clear()
    download.grid(tmp_path, ["s1"], api=api)
    assert not grid_archive.log
    download.grid(tmp_path, ["s1", "s4"], api=api, pause=0)
    assert [name for name, _ in grid_archive.log] == ["record", "s4.zip"]
    assert (tmp_path / "s4" / "pwij3p.mpg").read_bytes() == b"video"


def test_grid_speakers_without_video_are_refused(grid_archive, tmp_path):
    api = f"{grid_archive.url}/record"
    with pytest.raises(CorpusError, match="no video of s21"):
        download.grid(tmp_path, ["s1", "s21"], api=api)
    with pytest.raises(CorpusError, match=r"holds no s2\.zip"):
        download.grid(tmp_path, ["s2"], api=api, pause=0)


def test_the_command_downloads_and_tells_what_went_wrong(
    grid_archive, tmp_path, monkeypatch, capsys
):
    api = f"{grid_archive.url}/record"
    monkeypatch.setattr(
        download.grid, "__kwdefaults__", {**download.grid.__kwdefaults__, "api": api}
    )
    assert cli.main(["download", "grid", str(tmp_path / "g"), "--speakers", "s1"]) == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(tmp_path / "g")
    assert "s1.zip" in told.err and (tmp_path / "g" / "s1" / "bbaf2n.mpg").is_file()
    assert cli.main(["download", "grid", str(tmp_path / "h"), "--speakers", "s99"]) == 1
    assert "no video of s99" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["download", "nothing", "here"])


def test_the_command_says_that_an_interrupted_download_goes_on(tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "grid", interrupted)
    assert cli.main(["download", "grid", str(tmp_path)]) == 130
    assert "goes on" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["no zip", "bad sum", "no video", "traversal"])
def test_an_archive_that_cannot_be_used_is_deleted(grid_archive, tmp_path, kind):
    good = zipped({"s1/a.mpg": b"picture"})
    grid_archive.files["s1.zip"] = {
        "no zip": b"<html>busy</html>",
        "bad sum": good.replace(b"picture", b"pidture"),
        "no video": zipped({"s1/a.txt": b"x"}),
        "traversal": zipped({"../a.mpg": b"x"}),
    }[kind]
    with pytest.raises(CorpusError, match=r"s1\.zip was deleted"):
        download.grid(tmp_path, "s1", api=f"{grid_archive.url}/record", pause=0)
    assert [file.name for file in tmp_path.iterdir()] == ["alignments"]


def test_an_empty_folder_is_not_taken_for_complete(grid_archive, tmp_path):
    (tmp_path / "s1").mkdir()
    download.grid(tmp_path, "s1", api=f"{grid_archive.url}/record", pause=0)
    assert (tmp_path / "s1" / "bbaf2n.mpg").read_bytes() == DATA


def test_a_file_where_a_folder_belongs_is_refused(grid_archive, tmp_path, monkeypatch, capsys):
    (tmp_path / "g").write_text("mine")
    api = f"{grid_archive.url}/record"
    with pytest.raises(CorpusError, match="no folder can be made"):
        download.grid(tmp_path / "g", ["s1"], api=api, pause=0)
    monkeypatch.setattr(
        download.grid, "__kwdefaults__", {**download.grid.__kwdefaults__, "api": api}
    )
    assert cli.main(["download", "grid", str(tmp_path / "g"), "--speakers", "s1"]) == 1
    assert "no folder can be made" in capsys.readouterr().err
    assert (tmp_path / "g").read_text() == "mine"


def test_what_stands_in_the_way_of_a_corpus_is_neither_kept_as_complete_nor_deleted(
    grid_archive, tmp_path
):
    api = f"{grid_archive.url}/record"
    download.grid(tmp_path, "s4", api=api, pause=0)
    (tmp_path / "s1").write_text("mine")
    with pytest.raises(CorpusError, match=r"expected a folder of \.mpg"):
        download.grid(tmp_path, "s1", api=api, pause=0)
    assert (tmp_path / "s1").read_text() == "mine"
