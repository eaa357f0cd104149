from __future__ import annotations

import pytest

from tests import builders
from tests.builders import NOW
from tracker.access import Access, membership
from tracker.domain.members import MemberError, Role, UnknownMemberError
from tracker.domain.people import EnrolmentError
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import members as rows
from tracker.workflows import accounts, enrolment, members


def stored_bytes(access: Access) -> bytes:
    with access.database.read() as connection:
        return b"|".join(row.name_sealed for row in rows.everyone(connection))


def test_a_member_is_found_by_name_and_by_id_with_what_they_may_do(access: Access) -> None:
    kim = members.add(access, "kim", [Role.RATER, Role.OPERATOR], "sleep", NOW)
    assert members.find(access, "kim") == members.by_id(access, kim.id, NOW) == kim
    assert kim.roles == {"sleep": frozenset({Role.RATER, Role.OPERATOR})}
    assert members.everyone(access) == [kim]
    with pytest.raises(UnknownMemberError, match="'Kim'"):
        members.find(access, "Kim")


def test_roles_are_given_and_taken_study_by_study(access: Access) -> None:
    kim = members.add(access, "kim", [Role.RATER], "sleep", NOW)
    kim = members.grant_role(access, kim, Role.RESEARCHER, "work", NOW)
    assert kim.in_study("work") == {Role.RESEARCHER}
    assert members.grant_role(access, kim, Role.RESEARCHER, "work", NOW) == kim
    kim = members.revoke_role(access, kim, Role.RATER, "sleep", NOW)
    assert kim.roles == {"work": frozenset({Role.RESEARCHER})}
    assert members.revoke_role(access, kim, Role.RATER, "sleep", NOW) == kim


def test_a_participants_role_is_nobodys_to_give(access: Access) -> None:
    with pytest.raises(MemberError, match="affect-tracker enrol"):
        members.add(access, "kim", [Role.PARTICIPANT], "sleep", NOW)
    with pytest.raises(MemberError, match="at least one"):
        members.add(access, "kim", [], "sleep", NOW)
    assert members.everyone(access) == []
    kim = builders.member(access)
    with pytest.raises(MemberError):
        members.grant_role(access, kim, Role.PARTICIPANT, "sleep", NOW)


def test_nobody_shares_a_name_whoever_was_first(access: Access) -> None:
    builders.person(access, "ada", ())
    builders.member(access, "kim")
    for name in ("ada", "kim"):
        with pytest.raises(MemberError, match="called"):
            builders.member(access, name)
    with pytest.raises(EnrolmentError, match="'kim'"):
        enrolment.enrol(access, "kim", "Europe/Berlin", NOW)
    assert [m.name for m in members.everyone(access)] == ["kim"]
    assert [p.name for p in access.everyone()] == ["ada"]
    # Who was refused left no key behind.
    assert len(access.keys.owners(membership.MEMBER)) == 1


def test_a_name_lies_sealed(access: Access) -> None:
    builders.member(access, "canary-name-5e1")
    assert b"canary-name-5e1" not in stored_bytes(access)


def test_whoever_is_removed_is_gone_and_the_others_are_found(access: Access) -> None:
    kim, lee = builders.member(access, "kim"), builders.member(access, "lee", Role.OPERATOR)
    with access.database.read() as connection:
        before = rows.by_digest(connection, access.vault.digests("member names", "lee"))
    assert before is not None
    gone = members.remove(access, kim)
    assert gone["members"] == 1
    assert gone["member_roles"] == 1
    with access.database.read() as connection:
        assert rows.left_of(connection, kim.id) == {}
    with pytest.raises(KeyDestroyedError):
        access.vault.opener(kim.id, membership.MEMBER)
    with pytest.raises(UnknownMemberError):
        members.by_id(access, kim.id, NOW)
    assert members.find(access, "lee") == lee
    again = builders.member(access, "kim")
    assert again.id != kim.id


def test_a_removal_that_was_cut_short_is_finished(access: Access) -> None:
    kim, lee = builders.member(access, "kim"), builders.member(access, "lee")
    access.vault.destroy(kim.id)
    assert members.everyone(access) == [lee]
    with pytest.raises(UnknownMemberError):
        members.find(access, "kim")
    assert membership.sweep(access) == 1
    with access.database.read() as connection:
        assert rows.left_of(connection, kim.id) == {}
    assert membership.sweep(access) == 0
    assert members.everyone(access) == [lee]


def test_looking_names_up_survives_a_renewal_that_was_cut_short(access: Access) -> None:
    lee = builders.member(access, "lee")
    access.vault.renew("installation", "member names")
    assert members.find(access, "lee") == lee
    members.remove(access, builders.member(access, "kim"))
    assert members.find(access, "lee") == lee


def test_a_link_opens_nothing_once_the_last_role_is_taken(access: Access) -> None:
    kim = members.add(access, "kim", [Role.RATER], "sleep", NOW)
    lee = members.add(access, "lee", [Role.RATER], "sleep", NOW)
    kim = members.grant_role(access, kim, Role.RESEARCHER, "work", NOW)
    link, lees = (accounts.invite(access, whom, NOW) for whom in (kim, lee))
    kim = members.revoke_role(access, kim, Role.RATER, "sleep", NOW)
    assert accounts.invited(access, link, NOW) == kim
    members.revoke_role(access, kim, Role.RESEARCHER, "work", NOW)
    with pytest.raises(accounts.InvitationError):
        accounts.accept_invitation(access, link, NOW)
    assert accounts.invited(access, lees, NOW) == lee
