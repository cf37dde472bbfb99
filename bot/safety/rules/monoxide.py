"""Carbon monoxide: by name, by its alarm, by what it does to people, by what makes it."""

from __future__ import annotations

from bot.safety.matching import Rule, rule, unless

_SHOP = unless("BUY", 8, but="OPEN_AGAIN | HELP | SOUNDING | SYMPTOM")
_MONEY = unless("BILL | SICK_OTHER | HOT_OTHER", 4)
_OTHER = unless("CARBON_OTHER", 2)
_WORK = unless("TICKET_TALK | BUY | BILL", 7, but="SYMPTOM | SOUNDING | EXHAUST")
_SMOKE_CHIRP = unless("SMOKE_ALARM | HARMLESS_ALARM", 3, but="SYMPTOM")

RULES: tuple[Rule, ...] = (
    rule("monoxide.named", "MONOXIDE", within=0, sure=0.95, excuses=(_SHOP, _OTHER, unless("HOMEWORK", 8))),
    rule("monoxide.co_alarm", "CO", "CO_WORD", within=4, sure=0.95, excuses=(_SHOP, _OTHER)),
    rule("monoxide.check_co", "CHECK", "CO", within=5, ordered=True, sure=0.85, excuses=(_OTHER, _SHOP)),
    rule("monoxide.says_co", "SOUNDING", "CO", within=3, ordered=True, sure=0.88, excuses=(_OTHER,)),
    rule(
        "monoxide.alarm_number",
        "ALARM",
        "SOUNDING",
        "NUMBER | PPM",
        within=16,
        sure=0.8,
        excuses=(_SMOKE_CHIRP, unless("METER | BILL", 8, but="PPM"), _MONEY),
    ),
    rule("monoxide.ppm", "PPM", within=0, sure=0.9, excuses=(unless("WATER_LEAK", 5),)),
    rule("monoxide.fresh_air", "ALARM | SOUNDING", "FRESH_AIR", within=25, sure=0.9),
    rule(
        "monoxide.alarm_and_heat",
        "DETECTOR",
        "SOUNDING",
        "COMBUSTION | EXHAUST | BLOCKED",
        within=30,
        sure=0.85,
        excuses=(_SMOKE_CHIRP,),
    ),
    rule(
        "monoxide.alarm_sounds",
        "DETECTOR",
        "GOES_OFF",
        within=6,
        sure=0.72,
        excuses=(_SMOKE_CHIRP, _SHOP, unless("APPLY | BILL | METER | BURN | POWER_LOSS", 6)),
    ),
    rule("monoxide.alarm_and_ill", "DETECTOR", "SYMPTOM", within=30, sure=0.88),
    rule(
        "monoxide.ill_near_flame",
        "SYMPTOM",
        "COMBUSTION",
        within=28,
        sure=0.86,
        excuses=(_MONEY, unless("BILL | BUY", 6, but="SYMPTOM_STRONG")),
    ),
    rule("monoxide.better_outside", "SYMPTOM", "HEADS_BETTER", within=30, sure=0.86, excuses=(_MONEY,)),
    rule(
        "monoxide.flame_indoors",
        "FIRE_FUEL_RUN",
        "INDOORS",
        within=12,
        sure=0.82,
        excuses=(_WORK, unless("SAFE_USE", 6)),
    ),
    rule(
        "monoxide.heat_with_cooker", "HEAT_WITH", within=0, sure=0.82, excuses=(unless("BILL | BUY", 6, but="SYMPTOM"),)
    ),
    rule("monoxide.better_outside_heat", "HEADS_BETTER", "COMBUSTION", within=25, sure=0.8, excuses=(_MONEY,)),
    rule(
        "monoxide.two_ill",
        "SYMPTOM",
        "SYMPTOM",
        "GROUP",
        within=20,
        sure=0.7,
        excuses=(_MONEY, unless("BILL | BUY", 8)),
    ),
    rule("monoxide.alarm_again", "DETECTOR", "SOUNDING", "VISIT", within=14, sure=0.75, excuses=(_SMOKE_CHIRP,)),
    rule(
        "monoxide.beeping_again",
        "BEEP",
        "AGAIN",
        within=3,
        sure=0.7,
        excuses=(_SMOKE_CHIRP, unless("METER | BILL | PHONE | APPLIANCE | POWER_LOSS", 8)),
    ),
    rule("monoxide.beep_code", "BEEP_CODE", within=0, sure=0.8),
    rule(
        "monoxide.co_at_home",
        "CO",
        "IN_HOUSE",
        within=3,
        ordered=True,
        sure=0.85,
        excuses=(_OTHER, unless("BILL | SERVICE", 8)),
    ),
    rule("monoxide.not_smoke", "NOT_SMOKE", "DETECTOR | SOUNDING", within=12, sure=0.75),
    rule("monoxide.get_air", "GET_AIR", within=0, sure=0.78),
    rule(
        "monoxide.alarm_and_out",
        "DETECTOR | BEEP",
        "LEFT_HOUSE",
        within=16,
        sure=0.75,
        excuses=(unless("HARMLESS_ALARM | BILL", 6),),
    ),
    rule("monoxide.unvented", "UNVENTED", "COMBUSTION", within=5, sure=0.75, excuses=(unless("BUY | BILL", 6),)),
    rule("monoxide.co_number", "CO", "NUMBER", within=2, ordered=True, sure=0.75, longest=5, excuses=(_OTHER,)),
    rule(
        "monoxide.beeps_and_ill",
        "BEEP",
        "SYMPTOM",
        within=16,
        sure=0.78,
        excuses=(unless("BILL | PHONE | SICK_OTHER", 6),),
    ),
    rule("monoxide.alone", "CO", within=0, sure=0.6, longest=1),
    rule(
        "monoxide.flue",
        "FLUE",
        "BLOCKED",
        within=8,
        sure=0.85,
        excuses=(unless("BUY | BILL | TICKET_TALK", 6, but="SYMPTOM | SOUNDING | EXHAUST"),),
    ),
    rule(
        "monoxide.fumes_inside",
        "EXHAUST",
        "INDOORS | IN_HOUSE | COMBUSTION",
        within=10,
        sure=0.84,
        excuses=(unless("BILL | BUY", 5),),
    ),
    rule(
        "monoxide.bad_flame", "YELLOW_FLAME", "COMBUSTION | SYMPTOM", within=14, sure=0.82, excuses=(unless("BUY", 4),)
    ),
    rule("monoxide.fume_alarm", "EXHAUST", "DETECTOR", within=6, sure=0.85, excuses=(_SHOP,)),
)
