"""Wires, poles and transformers: down, broken, sparking, or with something on them."""

from __future__ import annotations

from bot.safety.matching import Rule, rule, unless

_FINE = unless("ALL_FINE", 8, but="SPARK | SMOKE | FIRE")
_FUTURE = unless("FUTURE", 7, but="SPARK | SMOKE | FIRE | GROUNDED", along="TREE")
_CAUSE = unless("CAUSE", 12, but="GROUNDED | HELP")
_TELECOM = unless("CABLE_TV | LINE_OTHER", 12, but="GROUNDED | POLE | SPARK | HELP | TREE")
_NEAR = unless("NEAR_ONLY", 7, but="SPARK | SMOKE | FIRE | ALREADY | FALL_PAST", along="TREE | NEAR_TREE")
_WORK = unless("TICKET_TALK", 6, but="SPARK | GROUNDED | HELP | OPEN_AGAIN")
_MONEY = unless("BILL | WIRE_MONEY | DOWN_OTHER", 4, but="GROUNDED | POLE | SPARK | HELP")
_LAMP = unless("LIGHT_OUT", 6, but="GROUNDED | SPARK | WIRE | FIRE | SMOKE")
_SHOP = unless("BUY", 6, but="OPEN_AGAIN | HELP | GROUNDED")

RULES: tuple[Rule, ...] = (
    rule("wire.words", "LIVE_WIRE", within=0, sure=0.96, excuses=(_FUTURE, _TELECOM, _MONEY, _SHOP)),
    rule("wire.fallen", "WIRE", "FALL", within=8, sure=0.93, excuses=(_FINE, _TELECOM, _NEAR, _WORK, _MONEY)),
    rule(
        "wire.brought_down",
        "FALL_DOWN",
        "LINE | WIRE",
        within=4,
        sure=0.86,
        excuses=(_FINE, _TELECOM, _NEAR, _WORK, _MONEY, _CAUSE),
    ),
    rule("wire.hanging_line", "HANGS", "LINE", within=3, sure=0.84, excuses=(_TELECOM, _NEAR, _WORK, _MONEY)),
    rule(
        "wire.line_on_ground",
        "LINE",
        "FALL",
        "PLACE_OUT | GROUNDED | POLE | TREE",
        ordered=True,
        within=16,
        sure=0.9,
        excuses=(_TELECOM, _NEAR, _WORK, _MONEY),
    ),
    rule("wire.wire_on_ground", "WIRE", "GROUNDED", within=8, sure=0.92, excuses=(_TELECOM, _NEAR, _WORK, _MONEY)),
    rule(
        "wire.line_across",
        "LINE",
        "GROUNDED",
        within=6,
        sure=0.85,
        excuses=(_TELECOM, _NEAR, _WORK, _MONEY, unless("GAS", 2)),
    ),
    rule(
        "wire.pole_damaged", "POLE", "CRASH", within=8, sure=0.92, excuses=(_CAUSE, _LAMP, _NEAR, _WORK, _SHOP, _MONEY)
    ),
    rule("wire.pole_wires", "POLE", "WIRE", "FALL | CRASH", within=16, sure=0.9, excuses=(_NEAR, _WORK, _TELECOM)),
    rule(
        "wire.sparking",
        "WIRE | POLE | TRANSFORMER | LINE",
        "SPARK | FIRE | SMOKE | FLASH | ON_FIRE",
        within=10,
        sure=0.94,
        excuses=(_CAUSE, _TELECOM, _LAMP, _SHOP, unless("NEAR_ONLY | TICKET_TALK", 3)),
    ),
    rule("wire.noise", "WIRE | POLE | TRANSFORMER", "CRACKLE", within=8, sure=0.9, excuses=(_LAMP, _SHOP)),
    rule(
        "wire.line_noise",
        "LINE",
        "CRACKLE | SPARK",
        "PLACE_OUT | POLE | EARTH | GROUNDED | CRACKLE",
        within=10,
        sure=0.8,
        excuses=(_TELECOM,),
    ),
    rule(
        "wire.hum",
        "WIRE | TRANSFORMER | POLE",
        "BUZZ",
        within=8,
        sure=0.8,
        excuses=(unless("STREETLIGHT | HOMEWORK", 6), _LAMP, _SHOP),
    ),
    rule("wire.burst", "TRANSFORMER | POLE | WIRE", "EXPLODE | BANG", within=8, sure=0.93, excuses=(_SHOP, _MONEY)),
    rule(
        "wire.bang_outside",
        "EXPLODE | BANG",
        "FLASH",
        "POLE | TRANSFORMER | WIRE | PLACE_OUT | POWER_LOSS",
        within=16,
        sure=0.85,
        excuses=(_SHOP,),
    ),
    rule(
        "wire.equipment_damaged",
        "TRANSFORMER",
        "CRASH | FALL | HIT | LEAK | OPEN_BOX",
        within=9,
        sure=0.88,
        excuses=(_WORK, _SHOP, _MONEY),
    ),
    rule(
        "wire.tree_on_line",
        "TREE",
        "CONTACT",
        within=12,
        sure=0.93,
        excuses=(
            _FINE,
            _FUTURE,
            _NEAR,
        ),
    ),
    rule("wire.tree_fell_on", "TREE", "FALL", "WIRE", within=12, sure=0.88, excuses=(_FINE, _FUTURE, _NEAR, _TELECOM)),
    rule(
        "wire.something_on_line",
        "CONTACT",
        "FALL | HIT | TALL | TREE | STUCK",
        within=12,
        sure=0.86,
        excuses=(_NEAR, _CAUSE, unless("LINE_OTHER | CABLE_TV | BILL", 5)),
    ),
    rule(
        "wire.tall_thing",
        "TALL",
        "WIRE",
        "HIT | TOUCH | CRASH | STUCK | CONTACT",
        within=14,
        sure=0.86,
        excuses=(_NEAR, _WORK, _TELECOM),
    ),
    rule(
        "wire.touching",
        "WIRE",
        "TOUCH",
        "PLACE_OUT | TALL",
        within=10,
        sure=0.82,
        excuses=(_NEAR, _WORK, _TELECOM, _SHOP),
    ),
    rule(
        "wire.handling",
        "WIRE",
        "HANDLE",
        within=6,
        sure=0.8,
        excuses=(_NEAR, _WORK, _TELECOM, _SHOP, unless("BILL", 6)),
    ),
    rule("wire.trapped", "WIRE | LINE", "TRAPPED", within=10, sure=0.9, excuses=(_TELECOM,)),
    rule(
        "wire.line_touching",
        "LINE",
        "STUCK",
        "PLACE_OUT | TREE | TALL",
        ordered=True,
        within=9,
        sure=0.8,
        excuses=(_TELECOM, _NEAR, _WORK, _MONEY),
    ),
    rule(
        "wire.climbing",
        "KID",
        "CLIMB",
        "POLE | TRANSFORMER",
        within=9,
        sure=0.75,
        excuses=(_SHOP, unless("TICKET_TALK | BILL | APPLY", 6)),
    ),
    rule("wire.dripping", "BUZZ | CRACKLE", "OPEN_BOX", within=8, sure=0.75),
    rule(
        "wire.worry",
        "WIRE | POLE | TRANSFORMER",
        "DISTRESS",
        within=10,
        sure=0.72,
        excuses=(_FINE, _TELECOM, _NEAR, _WORK, unless("SERVICE | BILL | BUY | APPLY | STREETLIGHT | HOMEWORK", 10)),
    ),
    rule(
        "wire.somebody_touches",
        "PERSON | BODY | CANT_BREATHE",
        "TOUCHES_WIRE",
        within=10,
        sure=0.85,
        excuses=(unless("TREE | WIRE_MONEY", 8, but="BODY | CANT_BREATHE"),),
    ),
    rule(
        "wire.pulled_from_house",
        "HIT | FALL",
        "WIRE | POLE",
        "IN_HOUSE | PLACE_OUT",
        within=12,
        sure=0.86,
        excuses=(_NEAR, _WORK, _TELECOM, _MONEY),
    ),
)
