"""A real Apache Kafka for tests: one KRaft broker out of Maven's jars, in a folder of its own.

The jars (100 MB) come once into `build/kafka`, which needs `mvn`; a broker starts in some seconds
and takes half a gigabyte, so only soaks use it.
"""

import atexit
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from servers import _end_with_parent

ROOT: Final = Path(__file__).resolve().parents[1]
START_S: Final = 90.0
_SETTINGS: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
"""


@cache
def jars() -> Path:
    folder = ROOT / "build" / "kafka"
    if not list(folder.glob("kafka_2.13-*.jar")):
        subprocess.run(
            [
                "mvn", "-q", "-B", "-f", str(ROOT / "tests" / "kafka" / "pom.xml"),
                "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                "-DincludeScope=runtime", f"-DoutputDirectory={folder}",
            ],
            check=True,
        )  # fmt: skip
    return folder


class Kafka:
    """A broker that is begun, killed and begun again on the same log."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kafka_", dir="/tmp"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.port, controller = _free(), _free()
        settings = _SETTINGS.format(port=self.port, controller=controller, folder=self.folder)
        (self.folder / "server.properties").write_text(settings)
        self.process: subprocess.Popen[bytes] | None = None
        cluster = self._tool("kafka.tools.StorageTool", "random-uuid").split()[-1]
        self._tool(
            "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster,
            "-c", str(self.folder / "server.properties"),
        )  # fmt: skip
        self.start()

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [*_java("-Xmx400m"), "kafka.Kafka", str(self.folder / "server.properties")]
        with (self.folder / "out").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        atexit.register(self.kill)
        until = time.monotonic() + START_S
        while not self._answers():
            said = (self.folder / "out").read_text(errors="replace")[-2_000:]
            assert self.process.poll() is None, (
                f"Kafka ended with {self.process.returncode}: {said}"
            )
            assert time.monotonic() < until, f"Kafka does not answer after {START_S} s: {said}"
            time.sleep(0.2)

    def _answers(self) -> bool:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", self.port)):
                return False
        try:
            admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 0})
            return bool(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _tool(self, *arguments: str) -> str:
        ran = subprocess.run(
            [*_java("-Xmx128m"), *arguments], cwd=self.folder, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


def _java(memory: str) -> list[str]:
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", memory, "-XX:+UseSerialGC", quiet, "-cp", f"{jars()}/*"]


def _free() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@cache
def kafka() -> Kafka:
    """The one that all tests of this process share."""
    return Kafka()
