"""The small words of an answer: yes, no, all of them, none, seen, another one."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


YES = _words(
    "是|是的|对|对的|有|有的|好|好的|嗯|嗯嗯|行|可以|没错|当然|会|要|愿意|同意|y|yes|yep|yeah|yup|ok|okay"
    "|sure|true|right|correct|of course|certainly|👍|✅|✔"
)
NO = _words(
    "否|不|不是|没有|没|无|不对|不行|不要|不会|不可以|不愿意|不同意|不用|没有的|n|no|nope|nah|false"
    "|not at all|never|👎|❌"
)
SEEN = _words(
    "ok|okay|okey|k|好|好的|好吧|知道|知道了|明白|明白了|收到|了解|清楚|清楚了|看了|看过了|已读|已阅|嗯|是|是的"
    "|同意|行|可以|确认|yes|y|yep|yeah|got it|understood|i understand|i see|noted|seen|read|confirm"
    "|agree|i agree|👌|👍"
)
MORE = _words(
    "还有|还有一个|再来一个|再加一个|再添一个|添加|继续添加|加|more|another|another one|add"
)
NO_MORE = _words(
    "没了|没有了|没有别的了|就这些|就这样|完了|不加了|不用了|不添了|no more|that's all|thats all"
    "|nothing else|that is all"
)
ALL = _words("都|全部|全都|所有|全选|都有|都选|都要|都是|all|everything|all of them|all of these")
NONE = _words(
    "无|没有|都没有|都没|都不|都不是|都不选|一个都没有|以上都没有|以上都不是|以上均无|none|no|nothing|neither"
    "|none of them|none of these|none of the above"
)
APART = _words(  # choices that "all" does not mean
    "other|others|other (specify)|其他|其它|dk|don't know|na|n/a|不知道|不清楚|不了解|说不好"
    "|i don't know|prefer not to say|不想说|拒绝回答"
)
