"""Account numbers out of what a recogniser made of them: ``.venv/bin/python -m bench.account_numbers``.

Numbers are said in the ways people say them and then damaged as recognisers and telephone bands damage them: digits
dropped, doubled, taken for others, teens for tens, filler words taken for numbers, words between. The damage is drawn
by this program's own rates, which are not those that `voice.account_numbers` believes in; the second and third reading
share four fifths of the first one's. Compared is what is done without it: the first reading, if its length is right. A
wrong number that is proposed is a false proposal; the caller hears it read back and has to say no. Options: ``--quick``
(a tenth), ``--json``, ``--write``.
"""

from __future__ import annotations

import random
import time

from bench.report import Bar, Topic, percentiles, run, table
from integrations.base.utility import AccountNumberFormat
from integrations.cis.numbers import spoken_digits
from voice import account_numbers
from voice.account_numbers import propose

COMMAND = ".venv/bin/python -m bench.account_numbers"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SOUNDS_LIKE = {"five": "nine", "nine": "five", "one": "nine", "four": "five", "six": "eight", "two": "three"}
TEENS_TO_TENS = dict(zip((*TEENS[3:], *TENS[3:]), (*TENS[3:], *TEENS[3:]), strict=True))
HOMOPHONES = {"two": "to", "four": "for", "zero": "oh", "one": "won", "eight": "ate"}
BEFORE = ("", "", "", "it's", "my account number is", "okay so that's", "uh")
RATES = {"clean": 0.0, "good line": 0.01, "telephone": 0.03, "bad line": 0.08}
"""Errors a spoken word. Whole strings of ten come out right 0.6 to 0.75 of the time on telephone speech: about 0.03."""


def with_check(rng: random.Random, form: AccountNumberFormat) -> str:
    """A number that this utility could have given."""
    while True:
        number = "".join(rng.choice("0123456789") for _ in range(rng.choice(form.digits)))
        for last in "0123456789":
            if number[0] != "0" and form.fits(number[:-1] + last):
                return number[:-1] + last


def said(number: str, rng: random.Random) -> list[str]:
    """The words that somebody says for a number."""
    style = rng.choice(("digits", "digits", "digits", "doubles", "pairs"))
    words: list[str] = []
    at = 0
    while at < len(number):
        digit, pair = int(number[at]), number[at : at + 2]
        if style == "doubles" and len(pair) == 2 and pair[0] == pair[1]:
            words += ["double", WORDS[digit]]
            at += 2
        elif style == "pairs" and len(pair) == 2 and pair[0] != "0":
            value = int(pair)
            words += (
                [TEENS[value - 10]] if value < 20 else [TENS[value // 10], *([WORDS[value % 10]] if value % 10 else [])]
            )
            at += 2
        else:
            words.append("oh" if digit == 0 and rng.random() < 0.5 else WORDS[digit])
            at += 1
    return words


def damaged(words: list[str], rate: float, rng: random.Random) -> list[list[str]]:
    """What a recogniser makes of each word."""
    return [_word(words, at, rate, rng) for at in range(len(words))]


def _word(words: list[str], at: int, rate: float, rng: random.Random) -> list[str]:
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    if rng.random() < rate * (3.0 if following == word else 0.25):
        return []
    if rng.random() < rate:
        word = SOUNDS_LIKE.get(word, word) if rng.random() < 0.75 else rng.choice(WORDS)
    elif word in TEENS_TO_TENS and following not in WORDS:
        word = TEENS_TO_TENS[word] if rng.random() < 3 * rate else word
    elif rng.random() < 2 * rate:
        word = HOMOPHONES.get(word, word)
    return [word, rng.choice((word, "uh", "oh", "for", "okay"))] if rng.random() < rate * 0.4 else [word]


def readings_of(words: list[str], rate: float, rng: random.Random) -> list[str]:
    """Three readings of the same words, likeliest first; Whisper writes figures as often as words."""
    best = damaged(words, rate, rng)
    start = rng.choice(BEFORE)
    texts = []
    for number in range(3):
        outcome = [
            old if not number or rng.random() < 0.8 else _word(words, at, rate, rng) for at, old in enumerate(best)
        ]
        text = " ".join(part for one in outcome for part in one)
        digits = spoken_digits(text) if rng.random() < 0.5 else ""
        texts.append(f"{start} {digits or text}".strip())
    return texts


def measure(quick: bool) -> Topic:
    """Found, asked again, and falsely proposed, for each kind of line."""
    rng = random.Random(7)
    count = 200 if quick else 2_000
    rows, result, spent = [], {}, []
    forms = {
        "Luhn": AccountNumberFormat(digits=(10,), check="luhn"),
        "no check digit": AccountNumberFormat(digits=(10,)),
    }
    for name, form in forms.items():
        for line, rate in RATES.items():
            right = first = wrong = first_wrong = alone = 0
            for _ in range(count):
                number = with_check(rng, form)
                words = said(number, rng)
                readings = readings_of(words, rate, rng)
                best = spoken_digits(readings[0])
                first += best == number
                first_wrong += best != number and len(best) in form.digits
                began = time.thread_time()
                proposal = propose(readings, form)
                spent.append(time.thread_time() - began)
                single = propose(readings[:1], form)
                alone += single is not None and single.number == number
                right += proposal is not None and proposal.number == number
                wrong += proposal is not None and proposal.number != number
            figures = [one / count for one in (first, first_wrong, alone, right, wrong)]
            result[f"{name}, {line}"] = dict(
                zip(("first", "first_wrong", "found_by_one", "found", "false"), figures, strict=True)
            )
            rows.append([f"{name}, {line}", *figures, 1 - figures[3] - figures[4]])
    nothing = sum(propose([_noise(rng)], forms["Luhn"]) is not None for _ in range(count)) / count
    milliseconds = percentiles(spent, 1e3)
    result |= {"invented": nothing, "milliseconds": milliseconds, "least_confidence": account_numbers.LEAST_CONFIDENCE}
    telephone = result["Luhn, telephone"]
    bars = [
        Bar("account numbers found, telephone line, Luhn", telephone["found"], least=0.75, note=f"{count:,} numbers"),
        Bar("false proposals, telephone line, Luhn", telephone["false"], most=0.02),
        Bar("proposals out of other numbers and words", nothing, most=0.02),
        Bar("choosing, CPU, p95", milliseconds["p95"], most=10.0, unit=" ms"),
    ]
    heads = [
        "numbers",
        "first reading right",
        "first reading wrong, length fits",
        "found",
        "false proposal",
        "asked again",
    ]
    return Topic("account_numbers", "Account numbers by voice", COMMAND, result, bars, table(heads, rows))


def _noise(rng: random.Random) -> str:
    """Words that hold no account number: another kind of number, or a sentence with some in it."""
    digits = "".join(rng.choice("0123456789") for _ in range(rng.choice((1, 2, 3, 4, 5, 7, 8, 12, 14))))
    return rng.choice(
        (
            " ".join(WORDS[int(digit)] for digit in digits[:8]),
            f"since about {digits[:2]} or for {digits[:1]} hours",
            f"the meter says {digits}",
            "it went dark at seven or eight too for the whole street",
        )
    )


if __name__ == "__main__":
    run(measure)
