"""Where users and ids live."""

from __future__ import annotations

from collections import Counter

from redis.crc import key_slot

from daybook.engines.redis.buckets import BUCKETS, Buckets, bucket_of_user, natural_bucket
from daybook.facets.new_session import new_session
from daybook.model.identifiers import new_id
from daybook.protocols.clock import SystemClock


def _generated(tenant: str, user: str) -> str:
    return new_session(
        tenant=tenant,
        user_id=user,
        session_id=None,
        title=None,
        metadata=None,
        ttl=None,
        now=SystemClock().now(),
        id_factory=new_id,
    ).id


def test_a_generated_id_leads_to_its_users_bucket() -> None:
    """So a session of a generated id needs no alias."""
    for number in range(300):
        tenant, user = f"tenant {number % 7}", f"usér {number}"
        assert natural_bucket(tenant, _generated(tenant, user)) == bucket_of_user(tenant, user)


def test_users_and_chosen_ids_are_spread() -> None:
    """No bucket has more than a few times its share."""
    users = Counter(bucket_of_user("acme", f"user-{number}") for number in range(25_600))
    names = Counter(natural_bucket("acme", f"chat {number}") for number in range(25_600))
    for found in (users, names):
        assert len(found) == BUCKETS
        assert max(found.values()) < 160


def test_a_buckets_keys_share_a_slot_and_buckets_are_spread_over_slots() -> None:
    buckets = Buckets("any-prefix")
    slots = [key_slot(tag) for tag in buckets.tags]
    assert [key_slot(counter) for counter in buckets.counters] == slots
    assert len({*slots}) == BUCKETS
    thirds = Counter(slot * 3 // 16_384 for slot in slots)
    assert min(thirds.values()) > BUCKETS // 5


def test_an_id_is_no_piece_of_another() -> None:
    """The tenant's length stands before its name."""
    assert natural_bucket("a", "bc") != natural_bucket("ab", "c")
