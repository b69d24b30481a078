"""A bus of Kafka, or of what speaks its protocol (Redpanda, MSK): by librdkafka.

Acknowledged by all replicas in sync, in order and without gaps in each partition: the producer is
idempotent, and one that has failed is thrown away with all that it held. The partition of a key is
that of Kafka's own clients (murmur2). A topic that is not there is made.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.bus import PARTITIONS, Carried, Record, no_record

ANSWER_S: Final = 10.0
_BEGIN: Final = 0


class KafkaBus:
    """`url` is `kafka://host:9092,host2:9092?partitions=8`; options of librdkafka have a dot in
    their names and may be said there, too (`security.protocol=SASL_SSL`), and `user:password@`
    before the hosts is SASL's."""

    def __init__(self, url: str, partitions: int = PARTITIONS) -> None:
        self._count = partitions
        self._options = options_of(url)
        self._producer: Producer | None = None
        self._known: set[str] = set()

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        self._make(topic)
        producer = self._producer or self._open()
        failed: list[str] = []

        def told(error: KafkaError | None, _: object) -> None:
            if error is not None:
                failed.append(str(error))

        try:
            for each in records:
                headers: Any = {name: text.encode() for name, text in each.headers.items()}
                key = each.key.encode()
                producer.produce(topic, each.value, key, headers=headers, on_delivery=told)
            left = producer.flush(ANSWER_S + 1)
        except (KafkaException, BufferError) as error:
            failed.append(str(error))
            left = 0
        if failed or left:
            self._producer = None
            producer.purge()
            said = failed[0] if failed else f"{left} records were not acknowledged"
            raise Unavailable(f"Kafka does not do its part: {said}")

    def partitions(self, topic: str) -> int:
        try:
            found = AdminClient(self._options).list_topics(timeout=ANSWER_S).topics.get(topic)
        except KafkaException as error:
            raise Unavailable(f"Kafka does not answer: {error}") from error
        return len(found.partitions) if found is not None else 0

    def read(
        self, topic: str, partition: int, after: str = "", limit: int = 1_000
    ) -> list[Carried]:
        settings: dict[str, Any] = {
            **self._options,
            "group.id": "fondaco-read",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        consumer = Consumer(settings)
        try:
            begin = int(after) + 1 if after else _BEGIN
            low, _ = consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=ANSWER_S
            )
            consumer.assign([TopicPartition(topic, partition, max(begin, low))])
            return _taken(consumer, limit)
        except KafkaException as error:
            raise Unavailable(f"Kafka does not answer: {error}") from error
        finally:
            consumer.close()

    def close(self) -> None:
        if self._producer is not None:
            self._producer.flush(ANSWER_S)
            self._producer = None

    def _open(self) -> Producer:
        try:
            self._producer = Producer(
                {
                    **self._options,
                    "acks": "all",
                    "enable.idempotence": True,
                    "enable.gapless.guarantee": True,
                    "partitioner": "murmur2_random",
                    "linger.ms": 2,
                    "message.timeout.ms": int(ANSWER_S * 1_000),
                }
            )
        except KafkaException as error:
            raise Invalid(f"the address of Kafka cannot be used: {error}") from error
        return self._producer

    def _make(self, topic: str) -> None:
        if topic in self._known:
            return
        try:
            admin = AdminClient(self._options)
            if topic not in admin.list_topics(timeout=ANSWER_S).topics:
                made = admin.create_topics([NewTopic(topic, self._count, -1)])
                made[topic].result(ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable(f"Kafka does not answer: {error}") from error
        self._known.add(topic)


def _taken(consumer: Consumer, limit: int) -> list[Carried]:
    found: list[Carried] = []
    while len(found) < limit:
        message = consumer.poll(ANSWER_S)
        if message is None:
            raise Unavailable(f"Kafka has not answered for {ANSWER_S:.0f} s")
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                break
            raise KafkaException(error)
        told: Any = message.headers() or []  # what librdkafka has read is always bytes
        key: Any = message.key() or b""
        value: Any = message.value() or b""
        place = str(message.offset())
        try:
            headers = {name: (text or b"").decode() for name, text in told}
            found.append(Carried(place, Record(key.decode(), value, headers)))
        except UnicodeDecodeError as wrong:
            if found:
                break
            raise no_record(
                message.topic() or "", message.partition() or 0, place, wrong
            ) from wrong
    return found


def options_of(url: str) -> dict[str, Any]:
    """What librdkafka is told. Raises `Invalid` for an option that we do not know."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    found: dict[str, Any] = {
        "bootstrap.servers": hosts,
        "client.id": "fondaco",
        "log_level": 2,
        "socket.timeout.ms": int(ANSWER_S * 1_000),
    }
    if at:
        name, _, password = user.partition(":")
        found |= {"sasl.username": unquote(name), "sasl.password": unquote(password)}
    for name, text in parse_qsl(parts.query):
        if "." in name:
            found[name] = text
        elif name != "partitions":
            raise Invalid(
                f"{name[:40]!r} in the address of Kafka is no option: `partitions`, or one of "
                f"librdkafka, which have a dot in their names"
            )
    return found
