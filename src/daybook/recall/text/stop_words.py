"""English words too common to tell one turn from another. Everything here is lower case."""

from __future__ import annotations

__all__ = ["STOP_WORDS"]

_PLAIN = """
a an the this that these those such
i me my mine myself we us our ours ourselves you your yours yourself yourselves
he him his himself she her hers herself it its itself they them their theirs themselves
who whom whose which what when where why how
am is are was were be been being do does did doing done have has had having
will would shall should can could may might must
and or but nor so if then else than because as until while of at by for with about against
between into through during before after above below to from up down in out on off over under
again further once here there all any both each few more most other some no not only own same
too very just also
hi hey hello oh wow yeah yes ok okay well really thanks thank
"""
_SHORT_FORMS = """
i'm i've i'll i'd you're you've you'll you'd he's he'll he'd she's she'll she'd it's it'll it'd
we're we've we'll we'd they're they've they'll they'd that's that'll there's here's what's who's
where's when's why's how's let's isn't aren't wasn't weren't don't doesn't didn't haven't hasn't
hadn't won't wouldn't shan't shouldn't can't cannot couldn't mightn't mustn't y'all
"""
_REMAINS = "s t d m ll re ve"

STOP_WORDS = frozenset(f"{_PLAIN} {_SHORT_FORMS} {_REMAINS}".split())
