"""Documents of kind "question": a passage, a question and its answer, separated by tabs.

The answer stands in the passage, beside a wrong one of the same kind, except where the question is about a fixed fact of the
world. Used in `08_adapting_and_applications.ipynb`.
"""

MACROS = {
    "passage": """{hero:name} lived in {village:village} , {_.a:settled} [village|town] on the {village.river} .
        {hero} had {thing.a:treasure_pair} and {friend:other_name(hero)} had {thing2.a:other_treasure(thing)} .
        [One|Each] {day:day} {hero} {_:went} to the {place:place} , and {friend} {_:went} to the {place2:other_place(place)} .
        {hero.His} {kin:kin} was {job.a:job_of(kin)} and fed {beast.a:animal_pair} .""",
    "ask": """[
        3%Who had the [{thing.noun} ? \t {hero}|{thing2} ? \t {friend}] |
        3%What did [{hero} have ? \t {thing.a}|{friend} have ? \t {thing2.a}] |
        3%Where did [{hero} go ? \t the {place}|{friend} go ? \t the {place2}] |
        In which village did {hero} live ? \t {village} |
        On which day did they go out ? \t {day} |
        How did {hero.his} {kin} work ? \t as {job.a} |
        2%Which animal was fed ? \t {beast.a} |
        2%With what should one feed {beast.a} ? \t {beast.food} |
        2%For what is {village} known ? \t {village.ware}
        ]""",
}
QUESTION = "@passage \t @ask"


def split_question(text: str) -> tuple[str, str, str]:
    """(passage, question, answer) of a document of kind "question"; ValueError where it has not three fields."""
    fields = text.split("\t")
    if len(fields) != 3:
        raise ValueError(f"a question document has three fields separated by tabs, got {len(fields)}")
    return fields[0], fields[1], fields[2]
