"""Real kernel processes against an embedded workspace, and a client that keeps what they say."""

import os
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
from dbk_local import Workspace
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_databricks_kernel.install import Spec, install
from jupyter_kernel_test.msgspec_v5 import msg_structure_validator, validate_message

# Generous on purpose: two slow cores, many processes. Nothing here waits that long when all is well.
PATIENCE_S = 120.0
LATENCY_S = 0.05
_IDENTIFIED = {"comm_id": {"type": "string"}, "data": {"type": "object"}}
# What the suite of jupyter_kernel_test has no schema for.
_SCHEMAS: dict[str, dict[str, Any]] = {
    "iopub_welcome": {"required": ["subscription"], "properties": {"subscription": {"type": "string"}}},
    "comm_open": {
        "required": ["comm_id", "target_name", "data"],
        "properties": {**_IDENTIFIED, "target_name": {"type": "string"}},
    },
    "comm_msg": {"required": ["comm_id", "data"], "properties": _IDENTIFIED},
    "comm_close": {"required": ["comm_id"], "properties": _IDENTIFIED},
    "comm_info_reply": {
        "required": ["status", "comms"],
        "properties": {"comms": {"type": "object", "additionalProperties": {"required": ["target_name"]}}},
    },
    "interrupt_reply": {"required": ["status"], "properties": {"status": {"enum": ["ok", "error"]}}},
    **{f"{verb}_subshell_reply": {"required": ["status"]} for verb in ("create", "delete", "list")},
    "debug_reply": {"required": ["type", "request_seq", "success", "command"]},
    "input_request": {
        "required": ["prompt", "password"],
        "properties": {"prompt": {"type": "string"}, "password": {"type": "boolean"}},
    },
}


def check(message: dict[str, Any]) -> None:
    """Holds a message of the kernel against the schema of its type, of the suite or of our own."""
    schema = _SCHEMAS.get(message["msg_type"])
    if message["content"].get("status") == "aborted":  # the suite has `abort`, which no kernel says
        schema = {}
    if schema is None:
        validate_message(message)
        return
    msg_structure_validator.validate(message)
    jsonschema.validate(message["content"], {"type": "object", **schema})


def until(condition: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """The first true value of `condition`, asked again and again."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s:g} s: {what}")


@dataclass
class Answer:
    """All that came back for one request.

    Attributes:
        reply: Content of the reply.
        messages: The iopub messages of this request but `status` and `execute_input`, as they came.
        states: Its `status` messages.
        times_s: When each of `messages` arrived, on the monotonic clock.
    """

    reply: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    count: int | None = None

    @property
    def kinds(self) -> list[str]:
        return [message["msg_type"] for message in self.messages]

    def contents(self, kind: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    def text(self, name: str) -> str:
        return "".join(content["text"] for content in self.contents("stream") if content["name"] == name)

    @property
    def stdout(self) -> str:
        return self.text("stdout")

    @property
    def stderr(self) -> str:
        return self.text("stderr")

    @property
    def result(self) -> dict[str, Any]:
        (content,) = self.contents("execute_result")
        return content["data"]

    @property
    def status(self) -> str:
        return self.reply["status"]


class Client:
    """A front end: sends requests and collects what belongs to them.

    Attributes:
        stray: The iopub messages that belong to something else.
        checked: The types of the messages that came and were held against their schemas.
    """

    def __init__(self, kc: BlockingKernelClient) -> None:
        self.kc = kc
        self.stray: list[dict[str, Any]] = []
        self.checked: set[str] = set()

    def run(self, code: str, *, timeout_s: float = PATIENCE_S, **options: Any) -> Answer:
        """Runs a cell to its end; `options` are those of `start` and `finish`."""
        finish = {key: options.pop(key) for key in ("on_message", "answers") if key in options}
        return self.finish(self.start(code, **options), timeout_s=timeout_s, **finish)

    def start(self, code: str, **options: Any) -> str:
        """Sends a cell and gives its id."""
        options.setdefault("allow_stdin", False)
        return self.kc.execute(code, **options)

    def finish(
        self,
        msg_id: str,
        *,
        timeout_s: float = PATIENCE_S,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        answers: list[str] | None = None,
    ) -> Answer:
        """Collects what belongs to a request until both its reply and its `idle` are there."""
        answer = Answer({})
        deadline_s = time.monotonic() + timeout_s
        while not (answer.reply and answer.states[-1:] == ["idle"]):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"no end within {timeout_s:g} s; so far {answer.reply} {answer.kinds}")
            self._take_reply(msg_id, answer)
            self._take_question(answers)
            message = self._take_output(msg_id, answer)
            if message is not None and on_message is not None:
                on_message(message)
        return answer

    def ask(self, kind: str, *arguments: Any, timeout_s: float = PATIENCE_S, **options: Any) -> dict[str, Any]:
        """The content of the reply to a question on the shell channel."""
        msg_id = getattr(self.kc, kind)(*arguments, **options)
        return self.reply(self.kc.get_shell_msg, msg_id, timeout_s)["content"]

    def control(self, msg_type: str, content: dict[str, Any], timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The reply to a message on the control channel."""
        message = self.kc.session.msg(msg_type, content)
        self.kc.control_channel.send(message)
        return self.reply(self.kc.get_control_msg, message["header"]["msg_id"], timeout_s)

    def reply(self, take: Callable[..., dict[str, Any]], msg_id: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The reply to one request, whatever else comes before it."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            try:
                message = take(timeout=0.2)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == msg_id:
                self._keep(message)
                return message
        raise AssertionError(f"no reply to {msg_id} within {timeout_s:g} s")

    def next_output(self, timeout_s: float = 0.05) -> dict[str, Any] | None:
        """The next iopub message, checked against its schema."""
        try:
            message = self.kc.get_iopub_msg(timeout=timeout_s)
        except queue.Empty:
            return None
        self._keep(message)
        return message

    def _keep(self, message: dict[str, Any]) -> None:
        check(message)
        self.checked.add(message["msg_type"])

    def _take_output(self, msg_id: str, answer: Answer) -> dict[str, Any] | None:
        message = self.next_output()
        if message is None:
            return None
        if message["parent_header"].get("msg_id") != msg_id:
            self.stray.append(message)
        elif message["msg_type"] == "status":
            answer.states.append(message["content"]["execution_state"])
        elif message["msg_type"] == "execute_input":
            answer.count = message["content"]["execution_count"]
        else:
            answer.messages.append(message)
            answer.times_s.append(time.monotonic())
        return message

    def _take_reply(self, msg_id: str, answer: Answer) -> None:
        while not answer.reply and self.kc.shell_channel.msg_ready():
            message = self.kc.get_shell_msg(timeout=1)
            if message["parent_header"].get("msg_id") == msg_id:
                self._keep(message)
                answer.reply = message["content"]

    def _take_question(self, answers: list[str] | None) -> None:
        if answers and self.kc.stdin_channel.msg_ready():
            self._keep(self.kc.get_stdin_msg(timeout=1))
            self.kc.input(answers.pop(0))


@dataclass
class Running:
    """A kernel process and a client of it."""

    manager: KernelManager
    client: Client

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def interrupt(self) -> None:
        self.client.control("interrupt_request", {})


@pytest.fixture(scope="session")
def specs(tmp_path_factory: pytest.TempPathFactory) -> KernelSpecManager:
    """The kernelspec, installed into a folder of its own."""
    prefix = tmp_path_factory.mktemp("prefix")
    install(Spec(), prefix=prefix)
    return KernelSpecManager(kernel_dirs=[str(prefix / "share/jupyter/kernels")])


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    """One embedded workspace for the whole package, without Spark, 50 ms away."""
    with Workspace(latency_s=LATENCY_S, spark=False) as running:
        yield running


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a folder with a project in it; keyword arguments are file names (dots as double underscores)."""

    def make(settings: str = "", **files: str) -> Path:
        folder = tmp_path_factory.mktemp("project")
        table = f"[tool.jupyter-databricks-kernel]\n{settings}\n"
        (folder / "pyproject.toml").write_text(table, "utf-8")
        for name, text in {"greeting.py": "WORD = 'hello'\n", **files}.items():
            (folder / name).write_text(text, "utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """The variables of a kernel process: nothing of this machine's user, and a workspace where one is given."""
    home = tmp_path_factory.mktemp("home")

    def build(workspace: Workspace | None = None, **more: str) -> dict[str, str]:
        # ipykernel does not take the output of child processes when it believes to be in a test.
        others = ("DATABRICKS_", "DBK_", "PYTEST_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        private = {
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "DATABRICKS_CONFIG_FILE": os.devnull,
        }
        return {**kept, **private, **(workspace.env() if workspace is not None else {}), **more}

    return build


@pytest.fixture(scope="session")
def start_kernel(specs: KernelSpecManager) -> Callable[..., Any]:
    """A context manager for a kernel process that is ready, and is gone afterwards."""

    def ready(manager: KernelManager, **options: Any) -> BlockingKernelClient:
        """A client of a process that answers. A port that was free a moment ago may be somebody else's by now."""
        for attempt in (1, 2, 3):
            manager.start_kernel(**options)
            kc = manager.client()
            kc.start_channels()
            try:
                kc.wait_for_ready(timeout=PATIENCE_S)
                return kc
            except RuntimeError:
                kc.stop_channels()
                if attempt == 3 or manager.is_alive():
                    raise
                manager.shutdown_kernel(now=True)
                manager.cleanup_connection_file()
        raise AssertionError

    @contextmanager
    def start(env: dict[str, str], cwd: Path, name: str = "databricks", **options: Any) -> Iterator[Running]:
        manager = KernelManager(kernel_name=name, kernel_spec_manager=options.pop("specs", specs))
        kc = None
        try:
            kc = ready(manager, env=env, cwd=str(cwd), **options)
            yield Running(manager, Client(kc))
        finally:
            if kc is not None:
                kc.stop_channels()
            if manager.has_kernel:
                manager.shutdown_kernel(now=not manager.is_alive())
            manager.cleanup_resources()

    return start


@pytest.fixture(scope="module")
def kernel(workspace, environment, start_kernel, make_project) -> Iterator[Running]:
    """One kernel for a module's tests; they leave its interpreter usable."""
    with start_kernel(environment(workspace), make_project()) as running:
        yield running


@pytest.fixture
def client(kernel: Running) -> Client:
    """The client of the module's kernel."""
    kernel.client.stray.clear()
    return kernel.client


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether a process is gone; one that nobody has reaped counts as gone."""

    def check(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return check


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Waits for a condition: see `until`."""
    return until
