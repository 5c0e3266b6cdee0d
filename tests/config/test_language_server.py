"""The JSON Schema in an editor: yaml-language-server (npm install -g yaml-language-server) judges right and wrong files by it."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from nettrain.cli.catalogue import file_schema

SERVER = shutil.which("yaml-language-server")
FOLDER = Path(__file__).parents[2] / "configs"
FILES = sorted(path for room in ("", "sweeps", "ensembles") for path in (FOLDER / room).glob("*.yaml"))  # fmt: skip
FILES.remove(
    FOLDER / "own_components.yaml"
)  # whose plugins the schema knows where they are allowed

PATIENCE = 400  # seconds for all files
RUN = "dataset: {source: xor}\nmodel: {type: mlp, hidden: [4]}\n"
SWEEP = "base: digits.yaml\nparameters:\n  optimizer.lr: {min: 0.001, max: 0.1}\n"
WRONG = [  # a file, the line that is to be marked (from 0; the schema's own line is the first), what is said
    ("dataset: {source: xor}\nmodel: {type: mlp, hiden: [4]}\n", 2, "hiden"),
    (RUN + "seed: -1\n", 3, "minimum"),
    (RUN + "ensemble: {members: 1}\n", 3, "minimum"),
    (RUN + "ensemble: {method: baging}\n", 3, "Value is not accepted"),
    (SWEEP + "trails: 3\n", 4, "trails"),
    (SWEEP + "method: best\n", 4, "Value is not accepted"),
    (SWEEP.replace("max", "maxx"), 3, "maxx"),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SERVER is None, reason="needs npm install -g yaml-language-server"),
]


class LanguageServer:
    """A process that speaks the Language Server Protocol: JSON-RPC with a header of its length."""

    def __init__(self, schema):
        self.schema = schema
        self.process = subprocess.Popen(
            [SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.send(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}})  # fmt: skip
        while self.receive().get("id") != 1:
            pass
        self.send(method="initialized", params={})

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        return json.loads(self.process.stdout.read(length))

    def problems(self, name, text):
        """What an editor would underline: (line, message)."""
        address = f"file:///{name}"
        text = f"# yaml-language-server: $schema={self.schema.as_uri()}\n{text}"
        document = {"uri": address, "languageId": "yaml", "version": 1, "text": text}
        self.send(method="textDocument/didOpen", params={"textDocument": document})
        while True:
            message = self.receive()
            if message.get("method") == "workspace/configuration":
                items = message["params"]["items"]
                self.send(id=message["id"], result=[{} for _ in items])
            elif "id" in message and "method" in message:
                self.send(id=message["id"], result=None)
            elif (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == address
            ):
                found = message["params"]["diagnostics"]
                return [(one["range"]["start"]["line"], one["message"]) for one in found]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    schema = tmp_path_factory.mktemp("schema") / "nettrain.schema.json"
    schema.write_text(json.dumps(file_schema()), encoding="utf-8")
    running = LanguageServer(schema)
    deadline = threading.Timer(
        PATIENCE, running.process.kill
    )  # what waits for an answer then fails
    deadline.start()
    yield running
    deadline.cancel()
    running.process.kill()
    running.process.communicate()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_editor_finds_nothing_wrong_in_our_files(server, path):
    text = path.read_text(encoding="utf-8")
    assert server.problems(f"right/{path.parent.name}/{path.name}", text) == []


@pytest.mark.parametrize(("text", "line", "said"), WRONG)
def test_an_editor_marks_the_mistake_where_it_stands(server, text, line, said):
    problems = server.problems(f"wrong/{abs(hash(text))}.yaml", text)
    assert line in {marked for marked, _ in problems}
    assert any(said in message for _, message in problems)
