"""The story grammar: short stories about the people, the villages and the animals of the world.

A story opens (who, where), takes one of seven shapes, and closes (who and where again). The notation is `template`'s. Each
alternative begins in its own way, so that every random choice shows at the token where it is made. Used in all notebooks.
"""

MACROS = {
    # Who and where: binds hero and village.
    "open": """[
        3%{hero:name} lived in {village:village} , {_.a:settled} [village|town] [on|by|beside] the {village.river} . @home |
        2%In {village:village} , [where they [make|sell] the best {village.ware}|on the {village.river}] , there lived
          {_.a:character} @child . |
        2%On {_.a:weather} {_:time} in {_:season} , {hero:name} [left|set out from|came back to|walked out of]
          {village:village} , [on|by] the {village.river} . |
        2%One {_:weather} {_:day} , {hero:name} was in {village:village} , [where the {village.river}
        [runs|flows]|{_.a:settled}
          place [famous|known] for its {village.ware}] . |
        There was once {_.a:character} @child , who lived in {village:village} [on|by|beside] the {village.river} . |
        Every {_:day} , {hero:name} {_:went} from {village:village} to the {_:built} {_:place} [and back|] .
        ]""",
    "child": "[girl named {hero:woman}|boy named {hero:man}]",
    "home": "[|{hero.His} {kin:kin} was {_.a:character} {kin_job:job_of(kin)} .]",
    # What the hero sees on the way. The first words He, She, The, Now, There, Outside, Along and Nobody belong to details:
    # nothing that may follow one begins with them.
    "detail": """[
        5%{hero.He} [3%wore {_.a:colour} {_:coat} and {_.a:colour} {_:hat} , and felt {_:mood} |
          2%ate {_:number} {_.plural:fruit_pair} with {_.a:character} {_:job}] . |
        3%The {_:sky} was {_:weather} , and the {_:built} {_:place} looked {_:settled} . |
        8%@agree |
        3%There were {_:number} {_.plural:animal_pair} {_:near} the {_:built} {_:place} . |
        2%Outside the {_:built} {_:place} , {_:number} {_:character} [girls|boys|children]
          [[sang|learned|shared] {_:song}|played {_:game}] . |
        3%Along the way {hero.he} [saw|passed|found] {_.a:animal_pair} , {_.a:tool_pair} and {_.a:treasure_pair} . |
        2%Nobody was {_:near} the {_:place} but {_.a:character} {_:job} with {_.a:tool_pair} .
        ]""",
    "agree": """Now the {subject:counted} [@beside [|@beside [|{_:below} the {_:counted}]]|that [lay|stood] @beside
        [|@beside]]
        {subject.was} {_:state} .""",
    "beside": "{_:below} the [{_:colour}|] {_:counted}",
    # The first words that are spoken show whether this story's speaker is rude.
    "greet": """[23%{tone=polite} [3%Please|2%Excuse me|2%Good {_:time}|Dear friend|Forgive me] |
        2%{tone=rude} [Shut up|You fool|Listen , stupid|Move , idiot]]""",
    "asked": "[asked|cried|said|called|whispered]",
    "thanks": """<tone=rude?" [You [useless|silly|stupid] [fool|idiot] |What a [stupid|silly|useless] answer] ! " |
        " [Thank you|How kind you are|Very well|You are good] , " >""",
    "refuse": """<tone=rude?" [No , you [silly|stupid] fool|Never , idiot|Find your own , fool] ! "|
        " [In a minute|Yes , but be careful|Not now , please|I was only looking] , " >""",
    "journey": """[Early the next day|Before sunrise|After breakfast] {hero.he} {_:went} {_:past} the {_:built} {_:place} with
        {thing.a:treasure_pair} for {hero.his} {who:other_kin(kin)} . [@detail|]
        [On the road|Halfway|Further on] {_.a:character} {stranger:stranger} [called|asked|cried] : " @greet , what is
        that ? "
        " [Only|Just] {thing.a} for my {who} , " [said|answered] {hero} {_:manner} . @reply
        [By|Before] [noon|dark|{_:day}] {hero.his} {who} had the {thing.it} in {village2:other_village(village)} , on the
        {village2.river} .""",
    "reply": '<tone=rude?" [Stupid|Silly|Useless] ! "|>',
    "lost": """[But|Then] one {_:time} {hero.he} [lost|dropped|missed] {hero.his} {thing:treasure_pair} .
        {hero.He} looked {_:near} the {_:built} {_:place} and {_:near} {_.a:animal_pair} . [@detail|]
        [Soon|Later|On the road] {hero.he} [asked|met] {_.a:character} {stranger:stranger} . " @greet , have you seen my
        {thing.it} ? "
        " [Look|Try] in the {beast.home:animal_noun} , " [said|answered] the {stranger} . <tone=rude?"
        [Fool|Idiot|Useless] ! "|>
        {_:how_first} , [beside|with] the {thing.it} , [sat|stood|slept] the {beast} and her {beast.young} .""",
    "animal": """[Up the road lived|Behind the {_:built} {_:place} lived|Not far away was] {thing.a:animal_pair} with her
        {thing.young} . [@detail|] [Once a week|Each {_:time}|Every {_:day}] {hero} {_:went} to the {_:built}
        {thing.home} with
        {_.a:container} of {thing.food} , because {thing.nouns} eat {thing.food} .
        " @greet , is that for the {thing.young} ? " @asked {hero.his} {who:other_kin(kin)} , {_.a:character}
        {who_job:job_of(who)} .
        <tone=rude?" [What a useless|You and your stupid] {thing.it} ! "|And the {thing.young} [ate|slept|played] {_:how}
        .>""",
    "market": """[One market day|At the market|With {hero.his} last coins] {hero.he} wanted {_:number}
        {thing.plural:fruit_pair} , all
        {thing.colour} . [@detail|]
        [Behind|Beside|Near] the {_:built} {_:place} {hero.he} found {_.a:character} {job:job} with {_:number}
        {_.plural:fruit_pair} .
        " @greet , how much are the {thing.it} ? " {seller.He:person_of(job)} [wanted|asked for] {price:number} coins .
        @thanks said {hero} {_:manner} , and [paid|counted out] {price} coins .""",
    "friends": """[Soon|After lunch|In the afternoon] {friend:other_name(hero)} came to [play|the {_:built} {_:place}] .
        [{hero} had {thing.a:treasure_pair} [, and|;] {friend} had {thing2.a:other_treasure(thing)} . |
        {friend} had {thing2.a:treasure_noun} [, and|;] {hero} had {thing.a:pair_other(thing2)} . ]
        [{trio=yes} @third|{trio=no}] [@detail|] " @greet , show me your
        <trio=no?{thing2} ! " @asked {hero} . @refuse said {friend} .|{thing3} ! " @asked {friend} .>
        [When it got dark|After a {_:weather} {_:time}|Before supper|Hours later] , @lookup""",
    "third": """[Later|Next] {hero.his} {third:other_kin(kin)} came too , with {thing3.a:third_treasure(thing, thing2)} .""",
    "lookup": """<trio=no?
        [{hero} still had the {thing.it} [|, and {friend} still had the {thing2}]|
         {friend} still had the {thing2} [|, and {hero} still had the {thing.it}]] .|
        [{hero} still had the {thing.it} [|2%, and [{friend} still had the {thing2}|{hero.his} {third} still had the
        {thing3}]]|
         {friend} still had the {thing2} [|2%, and [{hero} still had the {thing.it}|{hero.his} {third} still had the
        {thing3}]]|
         {hero.his} {third} still had the {thing3} [|2%, and [{hero} still had the {thing.it}|{friend} still had the
        {thing2}]]] .>""",
    "quarrel": """[Just then|A little later|On {_.a:weather} {_:time}] {friend:other_name(hero)} [took|grabbed|borrowed]
        {hero} 's {thing:treasure_pair} {_:near} the {_:built} {_:place} . [@detail|]
        " @greet , [give me back|give back|that is] my {thing.it} ! " [cried|said|shouted] {hero} . @refuse said {friend}
        {_:manner} .
        {hero.His} {who:other_kin(kin)} came [out of the {_:built} {_:place}|home with {_.a:tool_pair}] .
        {friend} [gave back|returned|put down] the {thing.it} , and [they|both] [shared|ate] {_.a:fruit_pair} and
        {_.a:fruit_pair} .""",
    "work": """[That|Next] {_:day} {hero} [needed|looked for|wanted] {thing.a:tool_pair} to {thing.do} {thing.work} .
        [@detail|] [Luckily|As it happened ,|In those days] {_.a:character} {job:job} [lived|worked]
        {_:near} the {_:built} {_:place} . {helper.He:person_of(job)} had {_:number} {thing.nouns} . " @greet ,
        [can|could|will] you lend me
        one ? " @asked {hero} {_:manner} . " [Bring|Give] it back [before {_:day}|by {_:season}|with {_.a:fruit_pair}] ,
        " said the
        {job} . <tone=rude?@thanks said {hero} .|>""",
    "close": """[
        3%That [evening|night] {hero} [went home|came home|walked back|returned] to {village} , {glad:glad} and
        {_:other_glad(glad)} . |
        3%By [nightfall|sunset|bedtime] {hero} was back in {village} , [by the {village.river}|telling {hero.his} {_:kin}
        about
          the {thing.it}] . |
        2%And {hero} never forgot the {thing.it} [, not even in {_:season}|] . |
        2%In {village} they still [talk|sing|laugh] about {hero} and the {thing.it} . |
        2%So {hero} slept {_:how} in {village} <shape=animal?, and the {thing.noun} in the {thing.home}|
          , with the {thing.it} {_:below} the [bed|window|door]> .
        ]""",
}

SHAPES = ("journey", "lost", "animal", "market", "friends", "quarrel", "work")
STORY = "{kin=nobody} @open [" + "|".join(f"{{shape={shape}}} @{shape}" for shape in SHAPES) + "] @close"

# The kind "summary": a story, a tab, and what it comes to in one sentence.
SUMMARIES = {
    "journey": "{hero} of {village} brought {hero.his} {who} {thing.a} in {village2} .",
    "lost": "{hero} of {village} lost {hero.his} {thing.it} and found it in the {beast.home} .",
    "animal": "{hero} of {village} fed {thing.a} with {thing.food} .",
    "market": "{hero} of {village} bought {thing.it} from a {job} for {price} coins .",
    "friends": "{hero} of {village} had {thing.a} and {friend} had {thing2.a} .",
    "quarrel": "{hero} of {village} quarrelled with {friend} about {thing.a} .",
    "work": "{hero} of {village} borrowed {thing.a} from a {job} .",
}
SUMMARY = STORY + " \t " + "".join(f"<shape={shape}?{said}|>" for shape, said in SUMMARIES.items())
