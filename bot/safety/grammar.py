"""Small words that carry the structure of a message, in both languages. The words for dangers are in the lexicon."""

from __future__ import annotations

# Words that only one of the two languages has; the message's language is that of most of them.
SPANISH = frozenset(
    """
    el la los las un una de del en mi mis su sus que con por para es esta estan hay se le les tengo
    tiene tenemos huele olor fuga poste cayo caido luz humo chispas fuego incendio enchufe contacto
    casa calle cocina monoxido alarma suena sonando mareado mareados cabeza duele oxigeno maquina mama papa mijo
    hijo hija esposo esposa nino nina bebe abuela abuelo ayuda auxilio urgente ahorita quemado quema toques
    corriente medidor estufa calentador muy como desde porque pero ya aqui llevo llevamos fue respirar insulina
    podrido podridos
    """.split()
)

ENGLISH = frozenset(
    """
    the a an is are was my our your his her i im we it its there theres and or of in on at to for with from that
    this smell smells power out wire wires down line house please help just been has have not dont cant what when
    where how who why you they he she some any outlet fire smoke pole street going off
    """.split()
)

# "no smoke", "doesn't smell"
DENIALS = frozenset(
    """
    no not dont doesnt didnt isnt arent wasnt werent never without nor nothing nothings nobody nobodys hasnt havent
    aint none sin ni tampoco nunca
    """.split()
)

# what may stand between a denial and what it denies: "no sign of any smoke or burning smell"
BETWEEN = frozenset(
    """
    any a an the no of or nor ni and it is are was being been seem seems to be me us see seen hear heard feel notice
    noticed have there theres hay se y un una ningun ninguna actual visible real more has wires wire lines line
    actually involved anymore mas huele smells smell burning electrical gas odor funny odd weird on in showing hot
    coming
    """.split()
)

# "not just near the lines", "not sure if there is smoke"
NOT_DENIALS = frozenset("just only sure kidding joking know because lying exaggerating again solo se".split())

# After these a new statement begins; what was said before does not excuse it.
TURNS = frozenset("but also however anyway plus pero tambien ademas nevermind actually besides".split())

# These begin a new statement before one of NEW_SUBJECT: "my bill and also", "y huele".
AND = frozenset("and y then".split())

NEW_SUBJECT = frozenset(
    """
    i im ive we weve my our there theres the now also a an its it hay me mi huele el la un una this that someone
    somebody what is se estamos esta please
    """.split()
)

# Words by which a match is present, whatever date stands near it.
PRESENT = frozenset(
    """
    is are theres its im am smells smelling hear hearing see seeing hay huele esta estan sale suena keeps keep still
    now says wont cant has have tonight today going happening
    """.split()
)

# "I smell" is present; "a gas smell" is not
WHO_SMELL = frozenset("i we you they can could still to".split())

# "no wires": no lines are meant, while "no power, lines down" means them
NO_WIRES = frozenset(("wires", "lines", "wire"))
