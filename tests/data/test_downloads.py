"""Downloads, from a real server on this machine that can misbehave in the ways that servers do."""

import gzip
import hashlib
import io
import socket
import struct
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from firsthand.data import DataError, downloads, emnist_digits, fashion_mnist, kmnist
from firsthand.data.downloads import RemoteFile, download
from tests.processes import running, wait_until

CONTENT = np.random.default_rng(1).bytes(300_000)
HALF = len(CONTENT) // 2


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Connections that break are the subject here."""


class Server:
    """An HTTP server of files held in memory. `behaviour` is what it does wrong."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.behaviour = ""
        self.asked: list[str | None] = []  # the Range of each request
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, format, *args):
                pass

        self.http = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/files"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, request):
        content = self.files.get(request.path.rpartition("/")[2])
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        if content is None or self.behaviour == "forbids":
            return request.send_error(404 if content is None else 403)
        start = 0
        if wanted and self.behaviour != "knows no ranges":
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if self.behaviour == "asks to log in":
            content = b"<html>Welcome to the guest network</html>"
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.behaviour != "states no length":
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        if self.behaviour in ("hangs up", "resets", "stalls"):
            request.wfile.write(content[start:HALF])
            request.wfile.flush()
            if self.behaviour == "stalls":
                self.closing.wait()
            if self.behaviour == "resets":  # close without the polite goodbye
                request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close_connection = True
        else:
            request.wfile.write(content[start:])

    def publish(self, name, content):
        """Serve a file; return what firsthand would know of it."""
        self.files[name] = content
        return RemoteFile(f"{self.url}/{name}", len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def remote(server):
    return server.publish("data.gz", CONTENT)


def refused(remote, folder, message):
    with pytest.raises(DataError, match=message) as caught:
        download(remote, folder)
    assert "\n" not in str(caught.value)
    assert remote.url in str(caught.value)
    assert not (folder / "data.gz").exists()


def test_download_once(server, remote, tmp_path):
    folder = tmp_path / "a" / "new" / "folder"
    path = download(remote, folder)
    assert path == folder / "data.gz"
    assert path.read_bytes() == CONTENT
    server.behaviour = "forbids"
    assert download(remote, folder) == path
    assert server.asked == [None]
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("behaviour", ["hangs up", "resets"])
def test_a_download_cut_off_is_resumed(server, remote, tmp_path, behaviour):
    server.behaviour = behaviour
    refused(remote, tmp_path, "not downloaded .*; call again when there is a connection, or put the file at ")
    kept = (tmp_path / "data.gz.part").read_bytes()
    assert CONTENT.startswith(kept)
    if behaviour == "hangs up":
        assert len(kept) == HALF
    server.behaviour = ""
    assert download(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={len(kept)}-" if kept else None]


def test_a_cut_off_download_says_how_much_arrived(server, remote, tmp_path):
    server.behaviour = "hangs up"
    refused(remote, tmp_path, "150,000 of 300,000 bytes arrived, which are kept")


def test_a_download_whose_process_is_killed_is_resumed(server, remote, tmp_path):
    server.behaviour = "stalls"
    code = f"""
from pathlib import Path
from firsthand.data.downloads import RemoteFile, download
download({remote!r}, Path({str(tmp_path)!r}))
"""
    part = tmp_path / "data.gz.part"
    with running([sys.executable, "-c", code]):
        wait_until(lambda: part.exists() and part.stat().st_size, "some of it had arrived")
    kept = part.stat().st_size
    assert 0 < kept < len(CONTENT)
    assert list(tmp_path.iterdir()) == [part]
    server.behaviour = ""
    assert download(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == f"bytes={kept}-"


def test_a_server_that_knows_no_ranges(server, remote, tmp_path):
    (tmp_path / "data.gz.part").write_bytes(CONTENT[:HALF])
    server.behaviour = "knows no ranges"
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_a_server_that_states_no_length(server, remote, tmp_path):
    server.behaviour = "states no length"
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_a_whole_part_needs_no_server(server, remote, tmp_path):
    (tmp_path / "data.gz.part").write_bytes(CONTENT)
    assert download(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize(
    "part",
    [
        b"another beginning" + CONTENT[17:HALF],  # the rest comes from the server
        CONTENT[1:] + b"?",
        CONTENT + b"too much",
    ],
)
def test_a_wrong_hash_discards_what_arrived(server, remote, tmp_path, part):
    (tmp_path / "data.gz.part").write_bytes(part)
    refused(remote, tmp_path, f"SHA-256 .* found, {remote.sha256} expected; what arrived was discarded")
    assert list(tmp_path.iterdir()) == []
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_a_server_with_another_file(server, remote, tmp_path):
    server.files["data.gz"] = CONTENT[::-1]
    refused(remote, tmp_path, "SHA-256 .* found, .* expected; what arrived was discarded")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_ends(server, remote, tmp_path, monkeypatch):
    arrived = []
    hash_of = downloads._sha256
    monkeypatch.setattr(downloads, "_sha256", lambda path: arrived.append(path.stat().st_size) or hash_of(path))
    server.files["data.gz"] = CONTENT * 20
    server.behaviour = "states no length"
    refused(remote, tmp_path, "SHA-256")
    assert arrived[0] <= len(CONTENT) + downloads._CHUNK


def test_a_page_instead_of_the_file_is_not_kept(server, remote, tmp_path):
    server.behaviour = "asks to log in"
    refused(remote, tmp_path, "41 bytes found, 300,000 expected")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses(server, remote, tmp_path):
    server.behaviour = "forbids"
    refused(remote, tmp_path, "not downloaded .HTTP Error 403: Forbidden.")


def test_a_damaged_file_in_the_cache_is_replaced(server, remote, tmp_path):
    (tmp_path / "data.gz").write_bytes(CONTENT[:-1])
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_offline(server, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/data.gz"
        remote = RemoteFile(url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
        refused(remote, tmp_path, r"not downloaded .*refused.*; call again when there is a connection, or put ")
    (tmp_path / "data.gz").write_bytes(CONTENT)  # as the message says
    assert download(remote, tmp_path).read_bytes() == CONTENT


def test_a_folder_that_cannot_be(server, remote, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(remote, tmp_path / "file", "not downloaded .*file")


def idx(array):
    array = np.asarray(array, np.uint8)
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), 1)


@pytest.fixture
def small(monkeypatch):
    """Published data of 30 training images, the last 5 to become validation images, and 10 test images."""
    monkeypatch.setattr(downloads, "_VALIDATION", 5)
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (40, 4, 3), np.uint8)
    return images, np.arange(40) % 10


@pytest.mark.parametrize(("load", "files"), [(fashion_mnist, "FASHION_MNIST_FILES"), (kmnist, "KMNIST_FILES")])
def test_data_sets_of_four_files(server, small, tmp_path, monkeypatch, load, files):
    images, labels = small
    parts = images[:30], labels[:30], images[30:], labels[30:]
    published = getattr(downloads, files)
    local = [server.publish(file.name, idx(part)) for file, part in zip(published, parts, strict=True)]
    monkeypatch.setattr(downloads, files, local)
    train, validation, test = load(tmp_path)
    assert [len(part) for part in (train, validation, test)] == [25, 5, 10]
    assert ((train + validation + test).images[..., 0] == images).all()
    assert (train + validation + test).labels.tolist() == labels.tolist()
    assert train.num_classes == 10


def test_emnist_is_turned_upright(server, small, tmp_path, monkeypatch):
    images, labels = small
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("gzip/emnist-letters-train-images-idx3-ubyte.gz", b"never read")
        for part, chosen in (("train", slice(30)), ("test", slice(30, None))):
            name = f"gzip/emnist-digits-{part}-{{}}-ubyte.gz"
            archive.writestr(name.format("images-idx3"), idx(images[chosen].transpose(0, 2, 1)))
            archive.writestr(name.format("labels-idx1"), idx(labels[chosen]))
    monkeypatch.setattr(downloads, "EMNIST_FILE", server.publish("gzip.zip", content.getvalue()))
    train, validation, test = emnist_digits(tmp_path)
    assert [len(part) for part in (train, validation, test)] == [25, 5, 10]
    assert ((train + validation + test).images[..., 0] == images).all()
    assert test.labels.tolist() == labels[30:].tolist()


@pytest.mark.tiny
def test_published_files_are_described_in_full():
    for remote in (*downloads.FASHION_MNIST_FILES, *downloads.KMNIST_FILES, downloads.EMNIST_FILE):
        assert remote.url.startswith(("http://", "https://"))
        assert remote.size > 5000
        assert len(bytes.fromhex(remote.sha256)) == 32


@pytest.mark.tiny
def test_the_cache_is_the_users(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(downloads, "download", lambda remote, folder: asked.append(folder) or tmp_path / "none")
    with pytest.raises(DataError, match="none: no readable file found"):
        kmnist()
    assert set(asked) == {downloads.platformdirs.user_cache_path("firsthand") / "kmnist"}
