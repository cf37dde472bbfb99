"""Equipment and medicine that somebody's life or health hangs on, with the supply lost, failing or about to be cut."""

from __future__ import annotations

from bot.safety.matching import Rule, rule, unless

# Registering, discounts, "how much power does it use": the bot's medical journey answers these.
_ADMIN = unless("APPLY | BUY", 10, but="LOSS_NOW | BATTERY | CANT_BREATHE | STOPPED_NOW")
_PLAN = unless("APPLY", 8, but="LOSS_NOW | CANT_BREATHE")
_OTHER = unless("MED_OTHER", 2)

RULES: tuple[Rule, ...] = (
    rule("medical.device_no_power", "DEVICE | ON_DEVICE", "LOSS_NOW", within=40, sure=0.95, excuses=(_PLAN,)),
    rule("medical.device_cut_off", "DEVICE | ON_DEVICE", "POWER_LOSS", within=18, sure=0.88, excuses=(_PLAN,)),
    rule(
        "medical.her_machine",
        "HER_MACHINE",
        "BATTERY | LOSS_NOW | CANT_BREATHE",
        within=14,
        sure=0.75,
        excuses=(_ADMIN,),
    ),
    rule("medical.hurry", "DEVICE | ON_DEVICE", "DISTRESS", within=12, sure=0.75, excuses=(_ADMIN,)),
    rule("medical.lungs", "LUNGS", "LOSS_NOW | CANT_BREATHE | BATTERY", within=16, sure=0.75, excuses=(_ADMIN,)),
    rule(
        "medical.breath_and_power", "BREATHES", "LOSS_NOW | POWER_LOSS", within=14, sure=0.72, excuses=(_ADMIN, _OTHER)
    ),
    rule("medical.last_tank", "LOW_TANK", "LOSS_NOW", within=14, sure=0.85),
    rule(
        "medical.vent_no_power",
        "VENT",
        "PERSON | BATTERY | STOPPED_NOW | SOUNDING",
        "LOSS_NOW",
        within=12,
        sure=0.7,
        excuses=(_OTHER, _ADMIN, unless("BILL | COMBUSTION", 5)),
    ),
    rule(
        "medical.device_failing",
        "DEVICE | ON_DEVICE",
        "BATTERY | STOPPED",
        within=16,
        sure=0.92,
        excuses=(_ADMIN, _OTHER),
    ),
    rule("medical.needs_power", "DEVICE | ON_DEVICE", "POWER", "GONE", within=12, sure=0.85, excuses=(_ADMIN,)),
    rule(
        "medical.vent_battery",
        "VENT",
        "BATTERY | STOPPED_NOW",
        "PERSON",
        within=10,
        sure=0.7,
        excuses=(unless("GAS | BUY", 6), _OTHER, _ADMIN, unless("BILL | COMBUSTION | PHONE", 5)),
    ),
    rule(
        "medical.body_machine",
        "BREATHE",
        "VENT | MACHINE",
        "LOSS_NOW | POWER_LOSS | STOPPED_NOW | BATTERY | POWER | STOPPED",
        within=30,
        sure=0.85,
        excuses=(_OTHER, _ADMIN),
    ),
    rule(
        "medical.needs_device",
        "PERSON",
        "NEEDS",
        "DEVICE",
        within=8,
        sure=0.7,
        ordered=True,
        excuses=(unless("APPLY | BUY | BILL | POWER_LOST_OTHER", 14, but="LOSS_NOW | CANT_BREATHE"), _OTHER),
    ),
    rule(
        "medical.depends",
        "ON_DEVICE",
        "PERSON",
        within=10,
        sure=0.7,
        excuses=(unless("APPLY | BUY | BILL | POWER_LOST_OTHER", 14, but="LOSS_NOW | CANT_BREATHE"),),
    ),
    rule(
        "medical.medicine_warm",
        "MEDICINE",
        "COLD",
        "LOSS_NOW | POWER_LOSS | COLD | STOPPED | GONE",
        within=30,
        sure=0.9,
        excuses=(_ADMIN,),
    ),
    rule("medical.medicine_cold", "MEDICINE", "COLD", within=8, sure=0.62, excuses=(_ADMIN,)),
    rule("medical.registered_out", "MEDREG", "LOSS_NOW", within=16, sure=0.7),
    rule("medical.medicine_spoils", "MEDICINE", "SPOIL", within=8, sure=0.8, excuses=(_ADMIN,)),
    rule("medical.medicine_no_power", "MEDICINE", "LOSS_NOW", within=24, sure=0.88, excuses=(_ADMIN,)),
    rule("medical.cannot_breathe", "CANT_BREATHE", "LOSS_NOW | POWER_LOSS | VENT | DEVICE", within=24, sure=0.9),
    rule("medical.ill_in_heat", "HEAT_ILL", "LOSS_NOW | NEEDS_COOL", within=24, sure=0.78, excuses=(_ADMIN,)),
    rule(
        "medical.alone", "DEVICE | ON_DEVICE", within=0, sure=0.6, longest=3, excuses=(unless("APPLY | BUY | BILL", 3),)
    ),
    rule("medical.insulin_alone", "INSULIN", within=0, sure=0.55, longest=2),
)
