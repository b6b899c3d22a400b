"""The end of a session, or of its messages: nothing of them stays but what forks show."""

from __future__ import annotations

from daybook.engines.file.folders import Folders
from daybook.engines.file.frames import new_stream
from daybook.engines.file.locked_file import Locked
from daybook.engines.file.marks import Marks
from daybook.engines.file.paths import session_at
from daybook.engines.file.session_birth import Births, NewSession, first_frames
from daybook.engines.file.session_file import SessionFile
from daybook.engines.file.session_frames import make_facts
from daybook.engines.file.session_store import SessionStore
from daybook.engines.file.shared_streams import SharedStreams
from daybook.model.session_rules import cleared_session

__all__ = ["SessionEnd"]


class SessionEnd:
    """Removes sessions and their messages; for the writer's thread."""

    def __init__(
        self,
        folders: Folders,
        sessions: SessionStore,
        births: Births,
        marks: Marks,
        streams: SharedStreams,
    ) -> None:
        self._folders = folders
        self._sessions = sessions
        self._births = births
        self._marks = marks
        self._streams = streams

    def remove(self, locked: Locked[SessionFile]) -> None:
        """Remove a session and its messages; the caller unlocks."""
        header, _ = locked.file.current()
        facts = locked.file.facts
        if facts is None:
            return

        def swap() -> None:
            self._folders.unlink(locked.place)
            self._folders.sync(locked.place.folders)

        self._marks.removed(facts.tenant, header.user_id, header.id, facts.incarnation)
        self._streams.retire(session_at(locked.place), locked.descriptor, locked.file, swap)
        self._births.unlist(session_at(locked.place), facts.tenant, header.user_id)
        self._sessions.cache.forget(locked.place)

    def clear(self, locked: Locked[SessionFile]) -> int:
        """Remove a session's messages; return how many. The caller unlocks."""
        file = locked.file
        session, facts = file.session(), file.facts
        _, state = file.current()
        if facts is None or not session.message_count:
            return 0
        cleared = cleared_session(session)
        new = NewSession(tenant=facts.tenant, session=cleared, stream=new_stream())
        after = make_facts(facts.tenant, facts.incarnation, cleared)
        chunks = first_frames(new, after, changes=state.changes + 1, entries=())

        def swap() -> None:
            with self._folders.new_file(chunks) as (descriptor, name):
                self._folders.sync_file(descriptor, always=True)
                self._folders.replace(name, locked.place)
            self._folders.sync(locked.place.folders)

        self._marks.ensure(facts.tenant, session.user_id, session.id)
        self._streams.retire(session_at(locked.place), locked.descriptor, file, swap)
        self._sessions.cache.forget(locked.place)
        return session.message_count
