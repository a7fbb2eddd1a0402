"""Documents of kind "pair": an English sentence, a tab and its Chinese translation, from a synchronous grammar.

Both sentences come from the same choices, so the translation is known exactly. Chinese puts time and place
        before the verb and
a measure word (量词) between number and noun: word order changes and words appear that English has not. A
        Chinese character is
a token. Used in `08_adapting_and_applications.ipynb`.
"""

from .engine import Form

NAMES = {
    "Anna": "安娜",
    "Clara": "克拉拉",
    "Lily": "莉莉",
    "Mary": "玛丽",
    "Rosa": "罗莎",
    "Ben": "本",
    "Jack": "杰克",
    "Peter": "彼得",
    "Sam": "山姆",
    "Tom": "汤姆",
}
KIN = {"mother": "妈妈", "father": "爸爸", "friend": "朋友", "teacher": "老师", "brother": "哥哥", "sister": "姐姐"}
NUMBERS = {"two": "两", "three": "三", "four": "四", "five": "五", "six": "六", "seven": "七", "eight": "八", "nine": "九"}
THINGS = {  # English singular: (plural, Chinese, measure word)
    "book": ("books", "书", "本"),
    "cat": ("cats", "猫", "只"),
    "dog": ("dogs", "狗", "只"),
    "apple": ("apples", "苹果", "个"),
    "horse": ("horses", "马", "匹"),
    "fish": ("fish", "鱼", "条"),
    "shirt": ("shirts", "衬衫", "件"),
    "map": ("maps", "地图", "张"),
    "chair": ("chairs", "椅子", "把"),
    "boat": ("boats", "船", "艘"),
    "lamp": ("lamps", "灯", "盏"),
    "tree": ("trees", "树", "棵"),
}
ADJECTIVES = {
    "red": "红色的",
    "green": "绿色的",
    "white": "白色的",
    "black": "黑色的",
    "strange": "奇怪的",
    "cheap": "便宜的",
    "big": "大的",
    "small": "小的",
    "beautiful": "漂亮的",
}
TIMES = {"today": "今天", "yesterday": "昨天", "this morning": "今天早上", "last week": "上个星期", "last year": "去年"}
PLACES = {"yard": "院子", "garden": "花园", "park": "公园", "village": "村子", "market": "市场", "forest": "森林"}
VERBS = {"bought": "买", "sold": "卖", "saw": "看见", "found": "找到", "painted": "画", "lost": "丢"}
PLAIN_VERBS = {"bought": "buy", "sold": "sell", "saw": "see", "found": "find", "painted": "paint", "lost": "lose"}

POOLS = {
    "c_name": list(NAMES),
    "c_kin": list(KIN),
    "c_number": list(NUMBERS),
    "c_thing": list(THINGS),
    "c_adjective": list(ADJECTIVES),
    "c_time": list(TIMES),
    "c_place": list(PLACES),
    "c_verb": list(VERBS),
}
_CHINESE = NAMES | KIN | NUMBERS | ADJECTIVES | TIMES | PLACES | VERBS | {noun: words[1] for noun, words in THINGS.items()}

FORMS: dict[str, Form] = {
    "zh": _CHINESE.__getitem__,
    "measure": lambda noun: THINGS[noun][2],
    "many": lambda noun: THINGS[noun][0],
    "plain": PLAIN_VERBS.__getitem__,
}

MACROS = {
    "some": "{number:c_number} {adjective:c_adjective} {thing.many:c_thing}",
    "some_zh": "{number.zh} {thing.measure} {adjective.zh} {thing.zh}",
    "buy": """{who:c_name} [{verb:c_verb} @some [in the {place:c_place} {time:c_time} . \t {who.zh} {time.zh}
        在 {place.zh} 里 @did|
        {time:c_time} . \t {who.zh} {time.zh} @did]|
        did not {verb.plain:c_verb} @some {time:c_time} . \t {who.zh} {time.zh} 没有 {verb.zh} @some_zh 。]""",
    "did": "{verb.zh} 了 @some_zh 。",
    "there": "There are @some in the {place:c_place} . \t {place.zh} 里有 @some_zh 。",
    "whose": """My {kin:c_kin} likes the {adjective:c_adjective} {thing:c_thing} . \t 我的 {kin.zh} 喜欢那
        {thing.measure} {adjective.zh} {thing.zh} 。""",
    "how_many": """How many {thing.many:c_thing} did {who:c_name} {verb.plain:c_verb} {time:c_time} ? \t
        {who.zh} {time.zh} {verb.zh} 了几 {thing.measure} {thing.zh} ？""",
}
PAIR = "[3%@buy|@there|@whose|@how_many]"
