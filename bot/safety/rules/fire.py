"""Fire, smoke, arcing and electric shock at the customer's side."""

from __future__ import annotations

from bot.safety.matching import Rule, rule, unless

_MONEY = unless("BILL", 5, but="ELECTRIC | TOUCH | IN_HOUSE | HELP")
_SHOP = unless("BUY", 6, but="OPEN_AGAIN | HELP | SMOKE | SPARK")
_ALARM = unless("SMOKE_ALARM", 3, but="SMELL | SMOKE_FROM | SOUNDING")
_LAMP = unless("LIGHT_OUT", 4, but="SMOKE | SPARK | SMELL | FIRE")
_FUEL = unless("COMBUSTION", 3, but="ELECTRIC | ON_FIRE | IN_HOUSE | SPARK")
_CIGARETTES = unless("BUY", 2)
# What burns up there is a downed-wire matter: another script.
_OUTSIDE = unless("TRANSFORMER | POLE | TREE", 9, but="PANEL | APPLIANCE")
_ADMIN = unless("RESOLVED", 10, but="OPEN_AGAIN")
_FEELING = unless("BILL | SHOCK_IDIOM", 6, but="PANEL | APPLIANCE | TOUCHED")

RULES: tuple[Rule, ...] = (
    rule("fire.alone", "FIRE | SMOKE | SPARK | BARE_BURN", within=0, sure=0.85, longest=3, excuses=(unless("BUY | BILL | SMOKE_ALARM", 3),)),
    rule("fire.cry", "FIRE | SMOKE | SPARK", "HELP | FIRE | SMOKE", within=5, sure=0.9, longest=7, excuses=(unless("BUY | BILL", 5),)),
    rule("fire.burning", "ON_FIRE", within=0, sure=0.96, excuses=(_OUTSIDE, _MONEY, _SHOP, _ADMIN, unless("TICKET_TALK", 5))),
    rule("fire.at_place", "FIRE", "IN_HOUSE | ELECTRIC | APPLIANCE | METER", within=5, sure=0.92, excuses=(_MONEY, _SHOP, _ADMIN, unless("SMOKE_ALARM | RESOLVED | TICKET_TALK", 4))),
    rule("fire.smoke_from", "SMOKE", "SMOKE_FROM", within=5, sure=0.93, excuses=(_ALARM, unless("BUY | BILL | COMBUSTION", 3, but="ELECTRIC | IN_HOUSE | METER"))),
    rule("fire.smoke_at", "SMOKE", "ELECTRIC | APPLIANCE | METER | IN_HOUSE", within=11, sure=0.93, excuses=(_ALARM, unless("BUY | BILL", 3))),
    rule("fire.burnt_smell", "SMELL", "BURN", within=6, sure=0.94, excuses=(unless("FOOD", 6), _MONEY)),
    rule("fire.hot_plastic", "SMELL", "FISHY", "PANEL | ELECTRIC | HOT", within=16, sure=0.88, excuses=(_MONEY,)),
    rule("fire.smells_hot", "SMELL", "HOT", "PANEL | ELECTRIC | IN_HOUSE", within=12, sure=0.85, excuses=(unless("FOOD", 6),)),
    rule("fire.smell_at_panel", "SMELL", "PANEL", within=8, sure=0.84, excuses=(unless("FOOD", 6), _MONEY)),
    rule("fire.sparks", "SPARK", "ELECTRIC | APPLIANCE | METER | IN_HOUSE | TOUCH", within=9, sure=0.95, excuses=(_OUTSIDE, unless("BILL", 9, but="PANEL | METER"), _SHOP)),
    rule("fire.sparks_from", "SPARK", "SMOKE_FROM", within=4, sure=0.9, excuses=(_OUTSIDE, _MONEY, _SHOP)),
    rule("fire.electrical_smell", "SMELL", "ELECTRICAL", within=4, sure=0.82, excuses=(_MONEY,)),
    rule("fire.touched_and_hurt", "TOUCHED_IT", "TOUCHED | APPLIANCE | ELECTRIC", "HURT | CANT_BREATHE", within=14, sure=0.78, excuses=(_MONEY,)),
    rule("fire.scorched", "SCORCHED", "PANEL", within=6, sure=0.82, excuses=(unless("SOLAR | BILL | POWER_LOSS", 10),)),
    rule("fire.burnt_meter", "BURN", "METER", within=7, sure=0.9, excuses=(_MONEY, unless("BURN_OTHER", 1))),
    rule("fire.burnt_equipment", "BURN", "PANEL", within=12, sure=0.92, excuses=(_MONEY, _LAMP, _SHOP, unless("BURN_OTHER", 1))),
    rule("fire.burnt_appliance", "BURN", "ELECTRIC | APPLIANCE", "SMOKE | SMELL | SPARK | HOT | FLASH | BANG", within=14, sure=0.88, excuses=(_MONEY, unless("FOOD", 5))),
    rule("fire.hot_and_smells", "HOT", "SMELL", within=6, sure=0.72, longest=14, excuses=(_MONEY, unless("FOOD | HOT_TUB", 6))),
    rule("fire.hot_equipment", "HOT", "PANEL", within=8, sure=0.88, excuses=(unless("HOT_TUB", 1), unless("SOLAR | BILL", 12), _MONEY, _SHOP, unless("TICKET_TALK", 4))),
    rule("fire.hot_meter", "HOT", "METER", within=6, sure=0.82, excuses=(_MONEY, unless("TICKET_TALK | HOT_OTHER", 4))),
    rule("fire.crackle", "CRACKLE", "PANEL | METER | APPLIANCE | TRANSFORMER", within=9, sure=0.9, excuses=(_SHOP, unless("FOOD", 3, but="PANEL | METER"))),
    rule("fire.crackle_light", "CRACKLE", "ELECTRIC", "SMELL | SMOKE | SPARK | FLASH | HOT | BURN", within=20, sure=0.88),
    rule("fire.buzz_panel", "BUZZ", "PANEL", within=6, sure=0.8, excuses=(unless("LIGHT_OUT | APPLY", 5),)),
    rule("fire.buzz_hot", "BUZZ | CRACKLE | BANG", "ELECTRIC | METER | APPLIANCE", "HOT | SMELL | BURN | SMOKE | SPARK | FLASH | FIRE", within=16, sure=0.9, excuses=(_MONEY,)),
    rule("fire.bang", "EXPLODE", "ELECTRIC | APPLIANCE | METER | IN_HOUSE", within=7, sure=0.86, excuses=(_MONEY, unless("TRANSFORMER | POLE", 8), unless("BUY", 4))),
    rule("fire.bang_and_burn", "BANG", "SMOKE | FLASH | FIRE | SPARK | BURN", within=14, sure=0.88, excuses=(_MONEY, unless("TRANSFORMER | POLE", 10))),
    rule("fire.flash", "ARC_FLASH", "PANEL | METER | APPLIANCE", within=7, sure=0.85, excuses=(unless("LIGHT_OUT | APPLY | BUY | TICKET_TALK", 5),)),
    rule("fire.glow", "GLOW", "PANEL | METER", within=6, sure=0.88),
    rule("fire.electrocuted", "ELECTROCUTED", within=0, sure=0.95, excuses=(_FEELING, unless("BUY", 6, but="HELP"))),
    rule("fire.shock_touch", "SHOCK | ELECTROCUTED", "TOUCH", "TOUCHED | APPLIANCE | ELECTRIC", within=16, sure=0.94, excuses=(unless("SHOCK_IDIOM", 2, but="ELECTROCUTED"),)),
    rule("fire.thrown", "THROWN", "TOUCH | TOUCHED", "TOUCHED | APPLIANCE | ELECTRIC | TOUCH", within=16, sure=0.85),
    rule("fire.thrown_across", "SHOCK | THROWN", "TOUCH", within=10, sure=0.8, excuses=(_FEELING, unless("BILL", 8))),
    rule("fire.shock_thing", "SHOCK | ELECTROCUTED", "PANEL | APPLIANCE | TOUCHED", within=9, sure=0.92, excuses=(_FEELING, unless("SHOCK_IDIOM", 2, but="ELECTROCUTED"))),
    rule("fire.shock_body", "SHOCK", "HOT | SYMPTOM | BODY", within=14, sure=0.85, excuses=(_FEELING,)),
    rule("fire.object_in_outlet", "OBJECT_IN", "PANEL", within=7, sure=0.9, excuses=(_SHOP, _MONEY)),
    rule("fire.water_and_current", "WET_ELECTRIC", within=0, sure=0.88),
    rule("fire.water_into_panel", "WATER", "WATER_INTO", "PANEL | FIXTURE", within=9, sure=0.84, excuses=(unless("BILL | BUY", 5),)),
    rule("fire.firefighters", "FIREFIGHTER", "CUT_POWER", within=14, sure=0.95, excuses=(unless("BILL | BUY", 4),)),
    rule("fire.firefighters_fire", "FIREFIGHTER", "FIRE | SMOKE", within=10, sure=0.9, excuses=(_SHOP, _ADMIN, unless("BILL", 4))),
    rule("fire.smoke_alarm_and_smell", "SMOKE_ALARM", "SMELL | SMOKE | BURN", within=10, sure=0.9, excuses=(_SHOP,)),
)
