"""Search over messages: the language, and that an index answers as one who looks at each."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.fix import encode
from fondaco.domain.fix.search.asking import asked
from fondaco.domain.fix.search.model import Asked, Query
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.search.rules import answers
from fondaco.domain.fix.store.messages import (
    Keeper,
    create,
    id_named,
    id_of,
    name_of,
    search,
    span_of,
)
from fondaco.kernel.errors import Invalid
from fondaco.ports.store import Store
from fondaco.ports.store.postgres import PostgresStore
from fondaco.ports.store.sqlite import SqliteStore
from servers import postgres

MESSAGE = Asked(
    1_795_007_200_000_000_000,  # 2026-11-18T13:06:40Z
    "FIX.4.4:HOUSE->BROKER",
    "in",
    encode(
        "FIX.4.4",
        [
            *((35, b"D"), (34, b"7"), (49, b"BROKER"), (56, b"HOUSE"), (11, b"a 1")),
            *((55, b"EUR/USD"), (38, b"1000.50"), (60, b"20261118-13:06:40.123")),
            *((58, b"Over the daily LIMIT, twice"), (453, b"2"), (448, b"one"), (448, b"two")),
            (5001, b""),
        ],
    ),
)

TABLE = [
    ("", True),
    ("35=D", True),
    ("35=d", False),
    ("MsgType=D", True),
    ("msgtype=8", False),
    ("55=EUR*", True),
    ("Symbol=*USD", True),
    ("55=E*U*", True),
    ("55=*R/U*D", True),
    ("55=EUR", False),
    ('55="EUR*"', False),
    ("55=EURUSD*", False),
    ("448=one", True),
    ("448=two AND 448=one", True),
    ("448!=one", False),
    ("448!=three", True),
    ("9999!=three", False),
    ("NOT 9999=three", True),
    ("9999=*", False),
    ("58=*", True),
    ('5001=""', True),
    ('11="a 1"', True),
    ("38>1000", True),
    ("38>1000.5", False),
    ("38>=1000.5", True),
    ("38<1000.500001", True),
    ("38>abc", False),
    ("55>100", False),
    ("60>20261118", True),
    ("60<20261118-13:06:41", True),
    ("60>20261119", False),
    ('58:~"limit"', True),
    ('58:~"daily limit"', True),
    ('58:~"limit daily"', False),
    ('58:~"lim"', False),
    ("58:~lim*", True),
    ('58:~"DAILY lim*"', True),
    ('55:~"limit"', False),
    ('"limit twice"', True),
    ('"usd"', True),
    ('"1118"', False),
    ('35=D AND 55=EUR* AND 58:~"limit"', True),
    ('35=D 55=EUR* 58:~"limit"', True),
    ("35=8 OR 55=EUR*", True),
    ("35=8 OR 55=EUR* AND 38<1", False),
    ("(35=8 OR 55=EUR*) AND NOT 38<1", True),
    ("NOT (35=D)", False),
    ("NOT NOT 35=D", True),
    ("direction=in", True),
    ("direction=out", False),
    ("session=*BROKER", True),
    ("session!=*BROKER", False),
    ("time>2026-11-18T13:06", True),
    ("time<2026-11-18", False),
    ("time>=20261118-13:06:40.000000000 AND time<=20261118-13:06:40", True),
]


@pytest.mark.parametrize(("query", "is_answer"), TABLE)
def test_the_language(query: str, is_answer: bool) -> None:
    assert answers(MESSAGE, asked(query)) is is_answer


REFUSED = [  # what is asked, at which character it is wrong, and a word of what to do
    ("35=D AND", 9, "write one like"),
    ("(35=D", 1, "add )"),
    ("35=D)", 5, "take it away"),
    ("35", 3, "write an operator"),
    ("hello", 6, "in quotes"),
    ("35=", 4, "write one"),
    ('58:~"limit', 5, "is not closed"),
    ("Symbl=EUR", 1, "did you mean Symbol?"),
    ("sesion=x", 1, "did you mean session?"),
    ("0=1", 1, "say one from 1"),
    ("38>1*", 4, "take the * away"),
    ("direction=up", 11, "say in (received) or out (sent)"),
    ("direction>in", 10, "use ="),
    ("session:~x", 8, "use = or !="),
    ("time>tomorrow", 6, "write 2026-11-22"),
    ("time=2026-11-22", 5, "use <"),
    ("time>2026-13-22", 6, "write 2026-11-22"),
    ('58:~"…"', 5, "letters or digits"),
    ("NOT", 4, "write one like"),
    ("NOT " * 60 + "35=D", 1 + 50 * 4, "ask less"),
    ("35=D OR OR 35=8", 9, "write one like"),
]


@pytest.mark.parametrize(("query", "at", "do"), REFUSED)
def test_what_cannot_be_read_says_where_and_what_to_do(query: str, at: int, do: str) -> None:
    with pytest.raises(Invalid) as refused:
        asked(query)
    assert refused.value.message.startswith(f"query, character {at}: ")
    assert do in refused.value.message
    assert refused.value.details["at"] == at


@given(st.text(alphabet='35=D AND OR NOT()"\\*<>!:~Symbolé\x01', max_size=60))
def test_any_text_is_a_question_or_refused(text: str) -> None:
    try:
        query = asked(text)
    except Invalid as error:
        refused = error
    else:
        answers(MESSAGE, query)
        return
    assert refused.details["at"] in range(1, len(text) + 2)


# Few tags, values and words, so that questions are answered often.
TAGS = ["35", "55", "58", "38", "60", "11"]
VALUES = ["D", "8", "EUR", "EURUSD", "limit", "1", "10", "2.5", "", "daily LIMIT", "é", "x" * 30]
LONG = "a-value-that-is-longer-than-terms-are"
BEGUN = [*VALUES, LONG, LONG + "1", "20261122-10:00:00"]
values = st.sampled_from(BEGUN)
stars = st.lists(st.sampled_from(["", "E", "EUR", "D", "a-value", "lim", "x" * 26]), max_size=3)
comparisons = st.one_of(
    st.builds(
        lambda tag, sign, value: f'{tag}{sign}"{value}"',
        st.sampled_from(TAGS),
        st.sampled_from(["=", "!=", "<", ">=", ">", "<="]),
        values,
    ),
    st.builds(
        lambda tag, parts: f"{tag}=" + "*".join(["", *parts]) + "*", st.sampled_from(TAGS), stars
    ),
    st.builds(lambda tag, parts: f"{tag}=" + "*".join([*parts, "E"]), st.sampled_from(TAGS), stars),
    st.builds(
        lambda tag, word: f'{tag}:~"{word}"',
        st.sampled_from(TAGS),
        st.sampled_from(["limit", "lim*", "daily limit", "é", "2 5", "x*"]),
    ),
    st.sampled_from(['"limit"', '"eur*"', "session=S-1*", "session=S-2", "session!=S-1"]),
    st.sampled_from(["direction=in", "direction=out", "time>2026-11-22T10:00:03", "session=*"]),
)
queries = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT {}".format, inner),
    ),
    max_leaves=6,
)
messages = st.builds(
    lambda at, session, direction, fields, is_whole: Asked(
        1_795_341_600_000_000_000 + at * 10**9,
        session,
        direction,
        encode("FIX.4.4", [(35, b"D"), *fields])[: None if is_whole else -9],
    ),
    st.integers(0, 9),
    st.sampled_from(["S-1", "S-2"]),
    st.sampled_from(["in", "out"]),
    st.lists(
        st.tuples(st.sampled_from([55, 58, 38, 60, 11]), values.map(lambda v: v.encode("latin-1")))
    ),
    st.booleans(),
)


@settings(max_examples=settings().max_examples // 2)  # on each of two stores
@given(st.lists(messages, max_size=12), st.lists(queries, min_size=1, max_size=8), st.data())
def test_an_index_answers_as_one_who_looks_at_each(
    store: Store, kept: list[Asked], texts: list[str], data: Any
) -> None:
    rows = [(id_of(5 * n + 1), each) for n, each in enumerate(kept)]
    with store.writing() as conn:
        conn.exec_driver_sql("SAVEPOINT before")
        Keeper().keep(conn, rows)
        for text in texts:
            query = asked(text)
            wanted = [id for id, each in reversed(rows) if answers(each, query)]
            limit = data.draw(st.integers(1, 5))
            examined_max = data.draw(st.sampled_from([1, 3, 1000]))
            assert list(_all(conn, query, limit, examined_max)) == wanted
        conn.exec_driver_sql("ROLLBACK TO before")


def _all(conn: Any, query: Query, limit: int, examined_max: int) -> Iterator[int]:
    span = span_of()
    while True:
        page = search(conn, query, span, limit, examined_max=examined_max)
        assert len(page.items) <= limit
        assert page.examined <= examined_max
        yield from (each.id for each in page.items)
        if page.next is None:
            return
        assert page.items or not page.complete
        span = type(span)(span.above, page.next)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("search")
    found: Store
    if request.param == "sqlite":
        found = SqliteStore(folder / "messages.db", durable=False)
    else:
        found = PostgresStore(postgres().database(str(folder)), durable=False)
    with found.writing() as conn:
        create(conn)
    yield found
    found.close()


@given(st.integers(0, 2**40 - 1), st.integers(0, 1_000_000))
def test_an_id_is_its_name(number: int, capture: int) -> None:
    id = id_of(number, capture)
    assert id_named(name_of(id)) == id


@pytest.mark.parametrize(
    "name", ["", "x", "c", "c1", "1-2", "c-1", "c1-", "-1", "c1-2-3", "9" * 40]
)
def test_what_is_no_id_names_nothing(name: str) -> None:
    assert id_named(name) == -1


SECRETS = [
    ([(35, b"A"), (553, b"me"), (554, b"geheim"), (925, b"neu")], [b"geheim", b"neu"]),
    ([(35, b"A"), (95, b"7"), (96, b"ab\x01cd=x")], [b"ab", b"cd=x"]),
    ([(35, b"B"), (93, b"4"), (89, b"sign")], [b"sign"]),
    ([(35, b"BE"), (1401, b"3"), (1402, b"abc")], [b"abc"]),
]


@pytest.mark.parametrize(("fields", "secrets"), SECRETS)
def test_secrets_are_not_kept(fields: Any, secrets: list[bytes]) -> None:
    raw = encode("FIX.4.4", fields)
    hidden = redacted(raw)
    assert len(hidden) == len(raw)
    assert not any(secret in hidden for secret in secrets)
    assert hidden.endswith(b"10=%03d\x01" % (sum(hidden[:-7]) % 256))
    odd = raw.replace(b"\x01554=", b"\x010554=")
    assert b"geheim" not in redacted(odd)


def test_what_has_no_secret_is_as_it_came() -> None:
    assert redacted(MESSAGE.raw) is MESSAGE.raw
