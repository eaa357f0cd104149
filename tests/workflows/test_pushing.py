"""Devices are told that a question waits: once, without content, signed, and only while they may be."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import ALL, person
from tests.push_service import PushService, certificate, push_service
from tests.workflows.scheduled import DAY, MINUTE, scheduled, states
from tests.workflows.test_prompting import DUE, ENDS, ENROLLED, NOON, live, past, put
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.pushing import EndpointError, PushServices
from tracker.store import pushing, studies, tables
from tracker.store.studies import StudyRow
from tracker.workflows import accounts, consenting, erasure, prompting
from tracker.workflows.prompting import NoPushError, Poster, Pushed, TooManyDevicesError
from tracker.workflows.prompting.posting import NotSentError, Posted, Push, RefusedHereError, UnsureError
from tracker.workflows.prompting.pushing import TRIES, Outcome

ON = DAY.replace("gap_minutes = 30", "gap_minutes = 30\nweb_push = true")


def governed(access: Access, more: str = ON, now: datetime = DUE - timedelta(days=1)) -> None:
    """A study with web push, and somebody whom push services can write to."""
    study = scheduled(access, more, now)
    contact = study.controller.model_copy(update={"contact": "privacy@example.org"})
    told = study.model_copy(update={"controller": contact})
    with access.database.write() as connection:
        studies.apply(connection, StudyRow(told.sha256, told.document(), now, "test"))


@pytest.fixture
def ada(access: Access) -> Person:
    governed(access)
    return person(access, now=ENROLLED)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PushService]:
    with push_service(tmp_path, DUE) as running:
        yield running
        assert running.faults == []


def on(
    access: Access, who: Person, service: PushService, device: str = "phone", now: datetime = ENROLLED
) -> str:
    return prompting.switch_on(
        access, who, service.endpoint(device), now, browser="Firefox", sign_in=7, services=service.services
    ).id


def poster(service: PushService) -> Poster:
    return Poster(service.services, tls=service.tls, patience_s=10)


def push(access: Access, who: Person, service: PushService, now: datetime = DUE) -> Pushed:
    return prompting.push(access, who, now, poster(service))


def outcomes(access: Access, who: Person) -> list[tuple[int, str | None]]:
    with access.database.read() as connection:
        return [(number, outcome) for _, number, outcome in pushing.outcomes(connection, who.subject)]


def devices(access: Access, who: Person, now: datetime = DUE) -> list[str]:
    with access.read(who.id, now) as unit:
        return [one.browser for one in prompting.devices_of(access, unit)]


def test_a_device_is_told_once_with_nothing_but_that_something_waits(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)
    assert past(access, ada, DUE)[NOON].pushed_at is None, "put is not pushed"
    assert push(access, ada, service) == Pushed(sent=1)
    assert push(access, ada, service, DUE + MINUTE) == Pushed()
    (message,) = service.taken
    assert message.headers["TTL"] == "3600"
    assert message.headers["Topic"] == "question"
    assert message.headers["Urgency"] == "normal"
    assert set(message.claims) == {"aud", "exp", "sub"}
    assert message.claims["sub"] == "mailto:privacy@example.org"
    assert message.key == prompting.application_key(access)
    said = repr((message.headers, message.claims))
    assert not [word for word in (ada.name, ada.id, ada.subject, "emotion", "noon") if word in said]
    assert past(access, ada, DUE)[NOON].pushed_at == DUE
    assert past(access, ada, DUE)[NOON].notified_at == DUE


def test_each_device_is_told_of_each_reminder_once(access: Access, ada: Person, service: PushService) -> None:
    on(access, ada, service)
    on(access, ada, service, "laptop")
    now = DUE
    while now <= ENDS + MINUTE:
        prompting.tick(access, ada, now)
        push(access, ada, service, now)
        now += MINUTE
    assert sorted(service.devices()) == ["laptop"] * 3 + ["phone"] * 3
    assert past(access, ada, ENDS)[NOON].pushed_at == DUE, "of the first"


def test_nothing_is_queued_without_the_study_the_scope_or_a_device(
    access: Access, service: PushService
) -> None:
    scheduled(access)
    who = person(access, now=ENROLLED)
    with pytest.raises(NoPushError):
        on(access, who, service)
    governed(access)
    other = person(access, "bob", [scope for scope in ALL if scope is not Scope.PROMPTS], now=ENROLLED)
    with pytest.raises(ConsentMissingError):
        on(access, other, service)
    put(access, who)
    assert push(access, who, service) == Pushed()
    assert outcomes(access, who) == []
    assert service.taken == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(
    access: Access, ada: Person, service: PushService, status: int
) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(status, {})]
    assert push(access, ada, service) == Pushed(dropped=1)
    assert devices(access, ada) == []
    assert past(access, ada, DUE)[NOON].pushed_at is None


@pytest.mark.parametrize(("status", "headers", "wait"), [
    (429, {"Retry-After": "300"}, timedelta(minutes=5)),
    (503, {"Retry-After": "Fri, 20 Mar 2026 11:37:00 GMT"}, timedelta(minutes=7)),
    (500, {}, timedelta(minutes=1)),
    (500, {"Retry-After": "soon"}, timedelta(minutes=1)),
])  # fmt: skip
def test_what_was_not_taken_is_tried_again_when_it_may(
    access: Access,
    ada: Person,
    service: PushService,
    status: int,
    headers: dict[str, str],
    wait: timedelta,
) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(status, headers)]
    assert push(access, ada, service) == Pushed(later=1)
    assert push(access, ada, service, DUE + wait - timedelta(seconds=1)) == Pushed()
    assert push(access, ada, service, DUE + wait) == Pushed(sent=1)
    assert past(access, ada, DUE + wait)[NOON].pushed_at == DUE + wait
    assert outcomes(access, ada) == [(0, Outcome.SENT)]


def test_it_is_tried_a_bounded_number_of_times(access: Access, ada: Person, service: PushService) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(500, {})] * 100
    for n in range(60):
        push(access, ada, service, DUE + n * MINUTE)
    assert len(service.taken) == TRIES
    assert outcomes(access, ada) == [(0, Outcome.GIVEN_UP)]


@pytest.mark.parametrize("after", [
    "3599", "86400", "999999", "31536000", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 -0500",
])  # fmt: skip
def test_it_is_never_tried_once_the_question_is_over(
    access: Access, ada: Person, service: PushService, after: str
) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(429, {"Retry-After": after})]
    push(access, ada, service)
    for n in range(70):
        push(access, ada, service, DUE + n * MINUTE)
    assert len(service.taken) == 1
    assert outcomes(access, ada)[0][1] in (Outcome.OVER, Outcome.GIVEN_UP)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 413])
def test_what_is_refused_is_not_tried_again_and_nobody_is_followed(
    access: Access, ada: Person, service: PushService, status: int
) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(status, {"Location": service.endpoint("elsewhere")})]
    assert push(access, ada, service) == Pushed(dropped=1)
    assert push(access, ada, service, DUE + 30 * MINUTE) == Pushed()
    assert service.devices() == ["phone"]
    assert outcomes(access, ada) == [(0, Outcome.REFUSED)]


def test_what_may_have_arrived_is_not_sent_again(access: Access, ada: Person, service: PushService) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(0, {})]
    assert push(access, ada, service) == Pushed(dropped=1)
    assert push(access, ada, service, DUE + 5 * MINUTE) == Pushed()
    assert outcomes(access, ada) == [(0, Outcome.UNSURE)]
    assert len(service.taken) == 1


def test_what_was_answered_put_away_or_opened_is_not_recalled_on_devices(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    number = put(access, ada)
    prompting.start(access, ada, number, DUE)
    assert push(access, ada, service) == Pushed(dropped=1)
    assert service.taken == []
    assert outcomes(access, ada) == [(0, Outcome.OVER)]


def test_a_try_that_falls_in_the_quiet_hours_or_a_pause_is_dropped(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)
    service.answers = [(500, {})]
    push(access, ada, service)
    # Their clock: 12:32 in Berlin. Now the study has its quiet hours then.
    governed(
        access,
        ON.replace("gap_minutes", 'quiet_from = "12:31"\nquiet_until = "12:40"\ngap_minutes').replace(
            'at = ["12:30"]', 'at = ["12:30"]'
        ),
        DUE + MINUTE,
    )
    assert push(access, ada, service, DUE + 2 * MINUTE) == Pushed(dropped=1)
    assert outcomes(access, ada) == [(0, Outcome.HELD_BACK)]
    assert len(service.taken) == 1


def test_while_it_looks_like_they_would_rather_be_left_alone_nothing_is_recalled(
    access: Access, ada: Person, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(access, ada, service)
    put(access, ada)
    assert push(access, ada, service) == Pushed(sent=1)
    monkeypatch.setattr("tracker.workflows.prompting.pushing.yields", lambda unit, schedule: True)
    prompting.tick(access, ada, DUE + 10 * MINUTE)
    assert push(access, ada, service, DUE + 10 * MINUTE) == Pushed(dropped=1)
    assert outcomes(access, ada) == [(0, Outcome.SENT), (1, Outcome.HELD_BACK)]
    assert states(access, ada)[NOON][0] == "reminded", "the app shows it all the same"


def withdraw(access: Access, who: Person) -> None:
    consenting.withdraw(access, who, [Scope.PROMPTS], DUE, recorder=Recorder.PARTICIPANT)


def stop(access: Access, who: Person) -> None:
    assert prompting.switch_off(access, who, DUE) >= 1


def stop_one(access: Access, who: Person) -> None:
    with access.read(who.id, DUE) as unit:
        (one,) = prompting.devices_of(access, unit)
    assert prompting.switch_off(access, who, DUE, one.id) == 1


def log_out(access: Access, who: Person) -> None:
    accounts.log_out(access, who, 7, DUE)


def log_out_everywhere(access: Access, who: Person) -> None:
    accounts.end_sessions(access, who, DUE)


def new_password(access: Access, who: Person) -> None:
    accounts.choose_password(access, who, "correct horse battery", DUE)


def erase_scope(access: Access, who: Person) -> None:
    erasure.erase_scope(access, who, Scope.PROMPTS, DUE)


def erase(access: Access, who: Person) -> None:
    erasure.erase_person(access, who, DUE)


@pytest.mark.parametrize("end", [
    withdraw, stop, stop_one, log_out, log_out_everywhere, new_password, erase_scope, erase,
])  # fmt: skip
def test_whatever_ends_it_ends_it_at_once_and_deletes_it(
    access: Access, ada: Person, service: PushService, end: object
) -> None:
    on(access, ada, service)
    put(access, ada)
    end(access, ada)  # type: ignore[operator]
    with access.database.read() as connection:
        assert connection.execute(select(tables.push_devices)).all() == []
        assert connection.execute(select(tables.push_messages)).all() == []
        assert pushing.waiting(connection, DUE + MINUTE) == {}
    assert service.taken == []


def test_other_sessions_and_another_scope_end_nothing(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    accounts.log_out(access, ada, 8, DUE)
    consenting.withdraw(access, ada, [Scope.NOTES], DUE, recorder=Recorder.PARTICIPANT)
    accounts.choose_password(access, ada, "correct horse battery", DUE, here=7)
    assert devices(access, ada) == ["Firefox"]
    prompting.follow(access, ada, 7, 9, DUE)
    accounts.log_out(access, ada, 7, DUE)
    assert devices(access, ada) == ["Firefox"], "its session goes on under another sign-in"
    accounts.log_out(access, ada, 9, DUE)
    assert devices(access, ada) == []


def test_what_the_study_switches_off_is_sent_no_more_and_forgotten(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)
    assert prompting.forget_unused(access, DUE) == 0
    scheduled(access, DAY, DUE)
    assert push(access, ada, service) == Pushed(dropped=1)
    assert service.taken == []
    assert prompting.forget_unused(access, DUE) == 1
    assert devices(access, ada) == []


def test_a_device_that_somebody_else_switches_on_is_theirs(
    access: Access, ada: Person, service: PushService
) -> None:
    bob = person(access, "bob", now=ENROLLED)
    on(access, ada, service)
    on(access, bob, service)
    assert devices(access, ada) == []
    assert devices(access, bob) == ["Firefox"]
    on(access, bob, service)
    assert devices(access, bob) == ["Firefox"], "once"


def test_a_device_that_two_switch_on_at_once_is_the_later_ones(
    access: Access, ada: Person, service: PushService
) -> None:
    bob = person(access, "bob", now=ENROLLED)
    digest = access.vault.digest("push endpoints", service.endpoint("phone"))
    failed: list[Exception] = []

    def second() -> None:
        try:
            on(access, bob, service)
        except Exception as error:
            failed.append(error)

    racing = threading.Thread(target=second)
    with access.write(ada.id, ENROLLED) as unit:
        permit = unit.permit(Use.PROMPT)
        pushing.add(unit.connection, permit, ada.subject, "a" * 32, digest, b"x", None, ENROLLED)
        racing.start()
        time.sleep(1)
    racing.join()
    assert failed == []
    assert devices(access, ada) == []
    assert devices(access, bob) == ["Firefox"]


def test_nobody_has_more_than_a_handful_of_devices(access: Access, ada: Person, service: PushService) -> None:
    for n in range(5):
        on(access, ada, service, f"d{n}")
    with pytest.raises(TooManyDevicesError):
        on(access, ada, service, "one-more")
    on(access, ada, service, "d0")
    assert len(devices(access, ada)) == 5


def test_the_address_of_a_device_lies_nowhere_in_the_open(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service, "secretplace")
    with access.database.read() as connection:
        (row,) = connection.execute(select(tables.push_devices)).all()
    assert b"secretplace" not in row.sealed
    assert "secretplace" not in repr(row)


def test_only_addresses_of_push_services_over_tls_are_taken(access: Access, ada: Person) -> None:
    for endpoint in (
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://127.0.0.1/x",
        "https://localhost:5432/",
        "https://fcm.googleapis.com:22/x",
        "https://[::1]/x",
        "https://[::1%25.notify.windows.com]/x",
        "https://[2001:4860:4860::8888%25.notify.windows.com]/x",
        "https://.notify.windows.com/x",
        "https://a..notify.windows.com/x",
        "https://-.notify.windows.com/x",
        "https://evil.example%00.notify.windows.com/x",
        "https://evil.example;.notify.windows.com/x",
        f"https://{'a' * 64}.notify.windows.com/x",
        "https://notify.windows.com/x",
        "https://evilnotify.windows.com/x",
        "ftp://fcm.googleapis.com/x",
        "https://fcm.googleapis.com/" + "x" * 2000,
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/\r\nX: y",
        "",
    ):
        with pytest.raises(EndpointError):
            prompting.switch_on(access, ada, endpoint, DUE)
    assert devices(access, ada) == []
    prompting.switch_on(access, ada, "https://wns2-db5p.notify.windows.com/w/?token=a", DUE)
    prompting.switch_on(access, ada, "https://updates.push.services.mozilla.com/wpush/v2/a", DUE)


@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["192.168.0.1"], ["::1"], ["fe80::1%eth0"], ["fd00::1"],
    ["fec0::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["0.0.0.0"], ["224.0.0.1"],
    ["100.64.0.1"], ["142.250.1.95", "10.0.0.1"], [], ["nonsense"],
])  # fmt: skip
def test_a_name_that_leads_inside_is_connected_to_never(service: PushService, addresses: list[str]) -> None:
    host = f"localhost:{service.port}"
    send = Poster(PushServices({host: "Test"}), resolve=lambda *_: addresses, tls=service.tls)
    with pytest.raises(RefusedHereError):
        send(Push(service.endpoint("phone"), "vapid", 60), DUE)
    assert service.taken == []


def test_who_is_no_service_or_has_another_certificate_gets_nothing(service: PushService) -> None:
    push = Push(service.endpoint("phone"), "vapid", 60)
    with pytest.raises(EndpointError):
        Poster(PushServices())(push, DUE)
    with pytest.raises(NotSentError):
        Poster(service.services, tls=ssl.create_default_context())(push, DUE)
    other = Push(f"https://elsewhere.example:{service.port}/x", "vapid", 60)
    host = f"elsewhere.example:{service.port}"
    with pytest.raises(NotSentError):  # the right place, the wrong name
        Poster(
            PushServices({host: "Test"}, frozenset({host})), resolve=lambda *_: ["127.0.0.1"], tls=service.tls
        )(other, DUE)
    nobody = PushServices({"localhost:1": "Test"}, frozenset({"localhost:1"}))
    with pytest.raises(NotSentError):
        Poster(nobody, patience_s=2)(Push("https://localhost:1/x", "vapid", 60), DUE)
    assert service.taken == []


def test_who_is_killed_while_it_sends_sends_no_second_one(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)

    class KilledError(BaseException):
        pass

    def die(push: Push, now: datetime) -> Posted:
        poster(service)(push, now)
        raise KilledError

    with pytest.raises(KilledError):
        prompting.push(access, ada, DUE, die)
    assert push(access, ada, service, DUE + MINUTE) == Pushed()
    assert len(service.taken) == 1
    assert live(access, ada, DUE + MINUTE) is not None


@pytest.mark.parametrize("end", [withdraw, stop, erase])
def test_what_ends_while_one_device_is_told_is_not_told_the_others(
    access: Access, ada: Person, service: PushService, end: object
) -> None:
    for n in range(3):
        on(access, ada, service, f"d{n}")
    put(access, ada)
    sent = []

    def post(push: Push, now: datetime) -> Posted:
        sent.append(push.endpoint)
        end(access, ada)  # type: ignore[operator]
        return Posted(201)

    with suppress(UnknownParticipantError):
        assert prompting.push(access, ada, DUE, post) == Pushed(sent=1)
    assert len(sent) == 1
    with access.database.read() as connection:
        assert connection.execute(select(tables.push_messages)).all() == []


def test_who_dies_while_one_device_is_told_leaves_the_others_to_be_told(
    access: Access, ada: Person, service: PushService
) -> None:
    for n in range(3):
        on(access, ada, service, f"d{n}")
    put(access, ada)

    def fall(push: Push, now: datetime) -> Posted:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        prompting.push(access, ada, DUE, fall)
    assert push(access, ada, service, DUE + MINUTE) == Pushed(sent=2)


def test_what_waits_for_a_device_that_is_off_does_not_ring_in_the_quiet_hours(
    access: Access, service: PushService
) -> None:
    # Their clock: the question is put at 12:30 in Berlin and can be answered for an hour.
    governed(access, ON.replace("gap_minutes", 'quiet_from = "12:45"\nquiet_until = "14:00"\ngap_minutes'))
    who = person(access, now=ENROLLED)
    on(access, who, service)
    put(access, who)
    assert push(access, who, service) == Pushed(sent=1)
    assert service.taken[0].headers["TTL"] == "900"


def test_a_name_that_leads_inside_is_this_networks_fault_and_forgets_no_device(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)
    host = f"localhost:{service.port}"
    inside = Poster(PushServices({host: "Test"}), resolve=lambda *_: ["10.0.0.1"], tls=service.tls)
    assert prompting.push(access, ada, DUE, inside) == Pushed(dropped=1)
    assert devices(access, ada) == ["Firefox"]
    assert outcomes(access, ada) == [(0, Outcome.REFUSED)]


def test_an_address_that_leads_nowhere_is_followed_by_the_next(service: PushService) -> None:
    found = ["127.0.0.2", "127.0.0.1"]  # it listens at the last alone
    send = Poster(service.services, resolve=lambda *_: found, tls=service.tls, patience_s=10)
    assert send(Push(service.endpoint("phone"), "vapid", 60), DUE).status == 403, "unsigned, and reached"
    assert service.faults.pop()


@pytest.mark.parametrize(("first", "drop", "last"), [
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 201 Created\r\n\r\n"),
    (b"HTTP/1.1 201 Created\r\nX-Slow: ", b"x", b"\r\n\r\n"),
])  # fmt: skip
def test_who_answers_without_end_is_cut_off(tmp_path: Path, first: bytes, drop: bytes, last: bytes) -> None:
    cert, key = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)

    waited_for: list[bytes] = []

    def drip(listening: socket.socket) -> None:
        with suppress(OSError), tls.wrap_socket(listening.accept()[0], server_side=True) as one:
            one.sendall(first)
            for _ in range(150):
                one.sendall(drop)
                time.sleep(0.2)
            one.sendall(last)
            waited_for.append(last)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"localhost:{listening.getsockname()[1]}"
        dripping = threading.Thread(target=drip, args=[listening], daemon=True)
        dripping.start()
        services = PushServices({host: "Test"}, frozenset({host}))
        believed = ssl.create_default_context(cafile=str(cert))
        send = Poster(services, resolve=lambda *_: ["127.0.0.1"], tls=believed, patience_s=2)
        with suppress(UnsureError):  # or its status, where it had said one
            send(Push(f"https://{host}/x", "vapid", 60), DUE)
        dripping.join()
    assert waited_for == []


def test_unreachable_services_are_tried_again_and_unknown_answers_are_not(
    access: Access, ada: Person, service: PushService
) -> None:
    on(access, ada, service)
    put(access, ada)

    def away(push: Push, now: datetime) -> Posted:
        raise NotSentError

    def silent(push: Push, now: datetime) -> Posted:
        raise UnsureError

    assert prompting.push(access, ada, DUE, away) == Pushed(later=1)
    assert prompting.push(access, ada, DUE + MINUTE, silent) == Pushed(dropped=1)
    assert push(access, ada, service, DUE + 20 * MINUTE) == Pushed()
