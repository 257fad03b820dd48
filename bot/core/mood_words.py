"""The words, phrases and turns of speech that say how somebody feels, each with its weight, and those of threats.

Whoever wants the assistant to hear more, or less, changes it here; `python -m bench.anger` says what comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# What each word weighs. A star stands for any ending.
WORDS: Mapping[int, str] = {
    # Abuse: each is enough by itself.
    -4: "idiot* moron* bullshit fuck* asshole* bastard* bitch* wtf stfu imbecile* scumbag* gago* putang* tangina* ulol",
    # Anger, and what is said of those who caused it.
    -3: "worst ridiculous unacceptable disgrace* furious outrageous outraged outrage enraged scams scammed scammer* "
    "scam thieves liar liars lied crook* cheated cheater* swindl* robbery robbed pathetic appalling appalled shambles "
    "atrocious incompetent incompetence livid fuming infuriat* stupid stupidity dumb shitty pissed ffs bobo tanga "
    "bwisit buwisit punyeta inutil manloloko walanghiya",
    # A bad mood; anger only together, or when it is shouted.
    -2: "mad damn disappointed disappointing disappointment annoyed annoying upset frustrat* unhappy poor ignored "
    "ignoring dissatisfied",
    -1: "bad slow late broken wrong missing damaged sad worse complain* fail* problem* issue* lost delay* fraudulent* "
    "unfriendly unhelpful confusing",
    1: "good nice thanks thank helpful friendly quick fast easy happy glad pleased liked polite best",
    2: "great love loved lovely excellent perfect amazing wonderful awesome brilliant fantastic delicious delighted "
    "superb",
}

# These weigh -2 as well, and -3 of us: that a grinder makes an awful noise is no anger.
HARSH = (
    "terrible awful horrible horrendous disgusting disgusted useless worthless garbage rubbish trash crap crappy shit "
    "sucks hate angry rude nonsense unprofessional insulting unbelievable nightmare disaster clueless ruined fraud "
    "frauds thief"
)

# Before single words, because together they say something else.
PHRASES: Mapping[str, int] = {
    "rip off": -3,
    "ripped off": -3,
    "fed up": -3,
    "sick of": -3,
    "sick and tired": -3,
    "waste of": -2,
    "waste of time": -3,
    "waste of money": -3,
    "waste my time": -3,
    "wasting my time": -3,
    "wasted my time": -3,
    "i've had enough": -3,
    "have had enough": -3,
    "had enough of": -3,
    "had it with": -3,
    "shut up": -4,
    "go to hell": -4,
    "screw you": -4,
    "you suck": -4,
    "hate you": -4,
    "what the hell": -3,
    "where the hell": -3,
    "why the hell": -3,
    "how dare": -3,
    "kidding me": -3,
    "i'm angry": -3,
    "am angry": -3,
    "so angry": -3,
    "very angry": -3,
    "this sucks": -3,
    "load of crap": -3,
    "piece of crap": -3,
    "piece of shit": -4,
    "full of shit": -4,
    "you stole": -4,
    "you fraud": -3,
    "you ruined": -3,
    "you screwed up": -3,
    "enough is enough": -3,
    "beyond angry": -3,
    "absolute rubbish": -3,
    "total rubbish": -3,
    "absolute garbage": -3,
    "total garbage": -3,
    "thanks for nothing": -3,
    "shame on you": -3,
    "should be ashamed": -3,
    "ashamed of yourselves": -3,
    "ashamed of yourself": -3,
    "out of patience": -3,
    "losing patience": -3,
    "losing my patience": -3,
    "lost my patience": -3,
    "lying to": -3,
    "you're lying": -3,
    "you are lying": -3,
    "stop lying": -3,
    "walang kwenta": -3,
    "walang kuwenta": -3,
    "walang hiya": -3,
    "for ages": -1,
    "still waiting": -1,
    "still not": -1,
    # Said of oneself, or of nothing in particular.
    "stupid question": 0,
    "dumb question": 0,
    "silly question": 0,
    "stupid mistake": 0,
    "stupid typo": 0,
    "stupid thing": 0,
    "stupid me": 0,
    "own stupid": 0,
    "terrible mistake": -1,
    "horrible mistake": -1,
    "awful mistake": -1,
    "oh damn": 0,
    "oh shit": 0,
    "oh crap": 0,
    "holy shit": 0,
    "holy crap": 0,
    "hate to": 0,
    "scam email": -1,
    "scam mail": -1,
    "scam message": -1,
    "a scam ?": -1,
    "a scam or": -1,
    "worst case": 0,
    "worst seller": 0,
    "worst selling": 0,
    "dumb bell": 0,
    "dumb bells": 0,
    "angry bird": 0,
    "angry birds": 0,
    "mad about": 0,
    "bobo tea": 0,
    "lost for words": 0,
    "quick question": 0,
    "best before": 0,
    "no problem": 1,
    "no problems": 1,
    "no issues": 1,
    "no complaints": 1,
    "cannot complain": 1,
    "can't complain": 1,
    "never disappointed": 2,
    "never disappoints": 2,
    "no thanks": 0,
    "no thank you": 0,
    "too good to be true": -1,
}

# What only a pattern catches, by its weight.
_PATTERNS: Mapping[int, Sequence[str]] = {
    -4: (r"\bf[*@#$]+(?:c?k)?\w*|\bsh[*@#!]t\w*|\bb[*@#!]tch\w*|\ba[*@#$]{2}hole\w*",),
    -3: (
        r"\bwhat the f\b|^wth\b|\bwth\W*$",
        r"\bnever again\s*(?=[.!,;]|$)|\bnever again will (?:i|we) (?:buy|order|shop|come)",
        r"\bnever (?:order|buy|shop|com|us|purchas)(?:e|ing)?\b[^.!?]{0,40}\bagain\b",
        r"\bhow many (?:more )?times (?:do|must) i (?:(?:have|need) to )?(?:tell|say|ask|repeat|explain|write)\b",
        r"\bfor the (?:tenth|hundredth|thousandth|umpteenth|nth|\d{2,}th) time\b|\bfor the last time[,:!]",
        r"\bare you (?:all |people )?(?:deaf|blind|insane|out of your mind)\b",
        r"(?<!know )\bwhat a joke\b|\bis this (?:a|some kind of) joke\b",
        r"\b(?:this|service|company|shop|store|support|you)(?:'re| are| is) (?:a )?(?:\w+ )?joke\b(?! gift)",
        r"\b(?:nobody|no one|you don't|they don't) (?:here )?gives? a (?:damn|shit|crap)\b",
        r"\bplay(?:ing)? dumb\b|\bmy (?:god)?damn \w+",
        r"\bdone with (?:you|this (?:shop|store|company|place))\b",
        r"\bor else\s*(?=[.!]|$)",
        r"\bexpose you\b|\b(?:make sure|tell) every(?:one|body) (?:\w+ )?(?:what|how) you\b",
        r"\b(?:'ll|will|going to|gonna) (?:post|share|put) (?:this|it|that) (?:all over|everywhere)\b",
    ),
    -2: (
        r"\b(?:nobody|no one|noone) (?:even )?(?:answers|helps|cares|replies|responds|listens)\b",
        r"\bdon't (?:ever )?(?:shop|buy|order) here\b",
        r"\b(?:money|refund|answer|manager|person|human|somebody|someone)\b[^.?!]{0,30}\bnow\b(?=\s*!!)",
        r"\b(?:one|1|zero|0)[ -]star reviews?\b",
    ),
}
PATTERNS = tuple((re.compile(one, re.IGNORECASE), weight) for weight, many in _PATTERNS.items() for one in many)

# Who is meant, where a word that is bad by itself is anger: us, or how somebody was treated, and not a grinder's noise.
US = re.compile(
    r"\b(?:you(?:'re| are| were| guys| people| all| lot)|u r|ur|with you|"
    r"your (?:\w+ )?(?:services?|shop|store|company|staff|support|team|bot|chat|system|website|delivery|people|driver)|"
    r"(?:this|the|such|a|total|customer) (?:shop|store|company|business|support|staff|team|bot|chat|experience)|"
    r"services?|company|staff|bot|treated|this is)\b"
)

_LAWYER = r"(?:lawyer|attorney|solicitor)s?"
_I_WILL = r"(?:i'?ll|i will|i'?m going to|i am going to|we'?ll|we will|i'?m gonna|gonna|have to|want to)"
_HURT = r"(?:kill|hurt|beat|punch|burn|smash|destroy|shoot|stab|wreck)"
_TELL = r"(?:report\w*|complain\w*|contact\w*|go(?:ing)?|writ(?:e|ing)|tell(?:ing)?|fil(?:e|ing)|call(?:ing)?)"
_BEGIN = r"(?:do|doing|file|filing|start|starting|initiate|request|issue|open|raise|make|expect)"
_OFFICES = (
    r"(?:consumer (?:protection|affairs|authority|rights|court)|better business bureau|bbb|dti|trading standards|"
    r"ombudsman|authorities)"
)
# With a court, an office, the police, the press, the bank, or with violence.
_THREATS = (
    rf"hear(?:ing)? from (?:my|our) {_LAWYER}|(?:my|our) {_LAWYER} (?:will|is|are|has|have|says)",
    rf"(?:call|contact|get|hir|see|involv|consult|tell)(?:e|t?ing)? (?:my|our|an?) {_LAWYER}",
    rf"(?:talk|speak|go|turn|pass this|take this)(?:ing)? (?:on )?(?:to|with) (?:my|our|an?) {_LAWYER}",
    r"legal action|lawsuit|small claims|(?:see|meet) (?:you )?in court|tak(?:e|ing) (?:you|this|it) to court",
    rf"{_I_WILL} sue(?= you| your| this|\W*$)|i'?m suing (?:you|this)|sue you|press(?:ing)? charges",
    rf"report(?:ing)? you to|{_I_WILL} report you|(?:get|have) you shut down",
    rf"{_TELL}\b[^.!?]{{0,40}}\b{_OFFICES}|{_OFFICES} (?:will|says|hears)",
    r"(?:call|calling|go to|going to|tell|telling) the (?:police|cops|press|media|newspapers?)(?! (?:station|at))",
    rf"{_BEGIN}(?: an?| the)? charge ?-?backs?",
    r"disput(?:e|ing) (?:this|it|that|the \w+) with my (?:bank|credit card|card)",
    rf"{_I_WILL} (?:find you and )?{_HURT} (?:you|u|your|every\w+|myself|the (?:place|shop))",
    rf"and {_HURT} (?:your|every\w+|the (?:place|shop))",
    r"you(?:'ll| will) (?:regret (?:this|it|that)|pay for this(?=\W*$))|watch your back|know where you live",
)
THREATS = re.compile(rf"\b(?:{'|'.join(_THREATS)})\b", re.IGNORECASE)
