"""Gas: smelled, heard, set free by digging or by a blow, or reported by an alarm."""

from __future__ import annotations

from bot.safety.matching import ANYWHERE, Rule, rule, unless

_MONEY = unless("BILL | SMELL_OTHER", 4, but="GAS_APPLIANCE | HISS | HELP | IN_HOUSE | GAS_METER")
_PETROL = unless("VEHICLE_GAS | GAS_MOTOR", 3, but="IN_HOUSE | GAS_METER | HELP")
_FOOD = unless("FOOD", 6, but="GAS | GAS_APPLIANCE")
_SHOP = unless("BUY", 6, but="OPEN_AGAIN | HELP | SOUNDING")
_WORK = unless("TICKET_TALK", 6, but="LEAK_STRICT | SMELL | HISS | OPEN_AGAIN | HELP")
_FINE = unless("NO_SMELL_OK", ANYWHERE, but="LEAK_STRICT")
_WATER = unless("WATER_LEAK | LEAK_OTHER", 3)

RULES: tuple[Rule, ...] = (
    rule(
        "gas.smell_gas",
        "SMELL",
        "GAS",
        within=9,
        sure=0.98,
        excuses=(_PETROL, unless("BUY", 6, but="IN_HOUSE | OPEN_AGAIN | HELP | GAS_APPLIANCE"), unless("HOMEWORK", 14)),
    ),
    rule(
        "gas.smell_back",
        "SMELL",
        "AGAIN | OPEN_AGAIN",
        "VISIT",
        within=16,
        sure=0.8,
        excuses=(_FOOD, unless("BURN", 6)),
    ),
    rule(
        "gas.rotten_eggs",
        "ROTTEN_EGG",
        "SMELL | ODD | IN_HOUSE | GAS_APPLIANCE | METER",
        within=12,
        sure=0.97,
        excuses=(_FOOD,),
    ),
    rule("gas.rotten_eggs_far", "SMELL", "ROTTEN_EGG", within=34, sure=0.9, excuses=(_FOOD,)),
    rule("gas.smell_not_the_bill", "GAS_MONEY", "SMELL", "IN_HOUSE | GAS_APPLIANCE | METER", within=18, sure=0.8),
    rule("gas.pipe_blows", "PIPE", "LEAK", "SMELL", within=26, sure=0.85, excuses=(_WATER,)),
    rule(
        "gas.rotten_eggs_bare",
        "ROTTEN_EGG",
        within=0,
        sure=0.7,
        excuses=(unless("FOOD | BUY | COLD | BILL | POWER_LOSS", 12),),
    ),
    rule("gas.rotten_eggs_alone", "ROTTEN_EGG", within=0, sure=0.85, longest=4),
    rule("gas.smell_odorant", "SMELL", "EGG", within=9, sure=0.96, excuses=(_FOOD, _MONEY)),
    rule("gas.leak", "GAS | GAS_PIPE | GAS_METER", "LEAK_STRICT", within=8, sure=0.98, excuses=(_WATER, _SHOP)),
    rule(
        "gas.appliance_leaks", "GAS_APPLIANCE", "LEAK_STRICT", within=5, sure=0.85, excuses=(_WATER, unless("WATER", 5))
    ),
    rule(
        "gas.escaping",
        "GAS | GAS_PIPE",
        "LEAK",
        within=5,
        sure=0.94,
        excuses=(_WATER, _SHOP, unless("BILL | TICKET_TALK", 5)),
    ),
    rule(
        "gas.meter_leaks",
        "METER | PIPE",
        "LEAK_STRICT",
        within=9,
        sure=0.8,
        excuses=(_WATER, unless("BILL | GAS_MONEY", 4)),
    ),
    rule(
        "gas.in_the_air",
        "GAS_FULL",
        within=0,
        sure=0.92,
        excuses=(unless("BILL | BUY | VEHICLE_GAS", 4, but="SMELL | HELP"),),
    ),
    rule("gas.hiss", "HISS", "GAS | GAS_PIPE | GAS_METER | METER | PIPE | GAS_APPLIANCE", within=12, sure=0.93),
    rule("gas.hiss_outside", "HISS", "EARTH | DIG", within=8, sure=0.8, excuses=(unless("HISS_OTHER", 3),)),
    rule("gas.hiss_smell", "HISS", "SMELL | ODD", within=25, sure=0.85),
    rule(
        "gas.pipe_damaged", "HIT | EXPLODE", "GAS_PIPE", within=8, sure=0.95, excuses=(_WORK, _FINE, unless("BILL", 3))
    ),
    rule(
        "gas.dug_into_gas",
        "DIG",
        "GAS | GAS_PIPE",
        "HIT | LEAK | SMELL | HISS | BUBBLE",
        within=18,
        sure=0.94,
        excuses=(_WORK,),
    ),
    rule(
        "gas.dug_into_pipe",
        "DIG",
        "PIPE | EARTH",
        "LEAK | HISS | SMELL | BUBBLE",
        within=18,
        sure=0.85,
        excuses=(_WORK, _WATER),
    ),
    rule("gas.hit_and_hiss", "HIT", "HISS", within=22, sure=0.8, excuses=(unless("HISS_OTHER", 3),)),
    rule("gas.meter_hit", "HIT", "GAS_METER", within=9, sure=0.92, excuses=(_FINE, _WORK)),
    rule(
        "gas.meter_hit_air", "HIT", "METER | PIPE", "LEAK | HISS | SMELL", within=16, sure=0.88, excuses=(_FINE, _WATER)
    ),
    rule("gas.alarm", "OFFGAS_NOTE", "SOUNDING | HELP | OPEN_AGAIN", within=8, sure=0.94, excuses=(_SHOP,)),
    rule("gas.alarm_says_gas", "DETECTOR", "SOUNDING", "GAS", within=8, sure=0.85, excuses=(_SHOP,)),
    rule("gas.alarm_alone", "OFFGAS_NOTE", within=0, sure=0.8, longest=4, excuses=(_SHOP,)),
    rule(
        "gas.unlit_burner",
        "GAS_APPLIANCE",
        "UNLIT",
        "SMELL | ODD | GAS | LEAK_STRICT",
        within=22,
        sure=0.93,
        excuses=(_FINE,),
    ),
    rule("gas.unlit_all_night", "GAS_APPLIANCE", "UNLIT", "UNLIT", within=14, sure=0.85),
    rule(
        "gas.appliance_stinks",
        "ODD",
        "SMELL",
        "GAS_APPLIANCE | GAS_METER",
        within=26,
        sure=0.86,
        excuses=(unless("BURN | SMOKE", 6), _FOOD, _MONEY),
    ),
    rule(
        "gas.appliance_smells",
        "SMELL",
        "GAS_APPLIANCE | GAS_METER",
        within=10,
        sure=0.82,
        excuses=(_FOOD, _MONEY, unless("BURN | SMOKE", 6)),
    ),
    rule(
        "gas.stench",
        "STINK",
        "GAS_APPLIANCE | METER | PIPE | EARTH | IN_HOUSE | HIT",
        within=14,
        sure=0.72,
        excuses=(_FOOD, _MONEY, unless("OTHER_SMELL | BURN | SMOKE | FISHY | BUY", 10), unless("SMELL_OTHER", 3)),
    ),
    rule("gas.like_unlit_stove", "SMELL", "STOVE_SMELL", within=10, sure=0.93, excuses=(_PETROL,)),
    rule("gas.odour_outside", "SMELL", "BUBBLE", within=30, sure=0.9),
    rule("gas.bubbling_line", "BUBBLE", "GAS | GAS_PIPE | GAS_METER | PIPE", within=14, sure=0.9, excuses=(_WATER,)),
    rule("gas.blown_from_ground", "BUBBLE | HISS", "EARTH", "ODD | SMELL | EGG | GAS", within=20, sure=0.86),
    rule(
        "gas.ill_from_gas",
        "GAS",
        "SYMPTOM_STRONG",
        within=10,
        sure=0.85,
        excuses=(unless("COMBUSTION", 10, but="SMELL"), _MONEY, unless("GAS_MOTOR | MED_OTHER", 4)),
    ),
    rule(
        "gas.flows",
        "GAS | GAS_PIPE",
        "GAS_FLOW",
        within=7,
        sure=0.8,
        excuses=(_WATER, _PETROL, unless("SERVICE | BILL | BUY | TICKET_TALK", 8)),
    ),
    rule(
        "gas.valve_broken",
        "GAS_APPLIANCE | PIPE",
        "HIT",
        "GAS_FLOW | HISS | UNSTOPPED",
        within=14,
        sure=0.78,
        excuses=(_WATER, unless("SERVICE | BILL | BUY | WATER", 8)),
    ),
    rule(
        "gas.unstopped",
        "GAS | GAS_APPLIANCE | GAS_PIPE",
        "UNSTOPPED",
        "GAS | GAS_APPLIANCE | GAS_FLOW | SMELL",
        within=14,
        sure=0.8,
        excuses=(_WATER, unless("WATER | BILL", 6)),
    ),
    rule("gas.unlit_on", "GAS_APPLIANCE", "UNLIT_ON", within=6, sure=0.85),
    rule(
        "gas.leak_alone",
        "LEAK_STRICT",
        within=0,
        sure=0.72,
        longest=8,
        excuses=(unless("WATER_LEAK | LEAK_OTHER | BILL | BUY", 12),),
    ),
    rule(
        "gas.worry",
        "GAS | GAS_PIPE | GAS_METER",
        "DISTRESS",
        within=12,
        sure=0.72,
        excuses=(_PETROL, unless("SERVICE | BILL | BUY | TICKET_TALK | APPLY", 12)),
    ),
    rule("gas.fire_service", "FIREFIGHTER", "GAS", "SMELL | LEAK_STRICT | HELP", within=14, sure=0.9, excuses=(_SHOP,)),
)
