"""Sound as the simulated carrier handles it: mu-law, playing out, marks, what a caller says, what is kept."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.sandbox.calls import messages, mulaw, sound
from integrations.sandbox.calls.mouth import Mouth
from integrations.sandbox.calls.playout import Playout
from integrations.sandbox.calls.timeline import Recording
from voice import mulaw as ours

pytestmark = pytest.mark.unit


def test_the_carriers_mu_law_and_the_applications_agree_on_every_byte_and_sample() -> None:
    codes = bytes(range(256))
    assert (mulaw.decode(codes) == ours.decode(codes)).all()
    every = np.arange(-32768, 32768).astype(np.int16)
    back, theirs = mulaw.decode(mulaw.encode(every)).astype(int), ours.decode(ours.encode(every)).astype(int)
    # Two tables may round a sample at a step's edge to different sides; never by more than that step.
    assert np.abs(back - theirs).max() <= 1024 and (back != theirs).mean() < 0.02
    assert (mulaw.decode(mulaw.encode(mulaw.decode(codes))) == mulaw.decode(codes)).all()


def test_a_mark_comes_back_with_the_frame_that_plays_the_last_sound_before_it() -> None:
    playout = Playout()
    playout.put(b"\x10" * 200)
    assert playout.mark("said") == ()
    first, second = playout.pull(), playout.pull()
    assert (first.sound, first.marks) == (160, ())
    assert (second.sound, second.marks) == (40, ("said",))
    assert second.payload == b"\x10" * 40 + mulaw.SILENCE * 120


def test_a_mark_with_nothing_before_it_comes_back_at_once() -> None:
    assert Playout().mark("now") == ("now",)


def test_clear_gives_all_waiting_marks_back_in_order_and_leaves_silence() -> None:
    playout = Playout()
    playout.put(b"\x10" * 320)
    playout.mark("a")
    playout.put(b"\x10" * 320)
    playout.mark("b")
    assert playout.clear() == ("a", "b")
    assert playout.pull().sound == 0 and playout.clear() == ()


@given(st.lists(st.one_of(st.binary(max_size=700), st.text("xyz", min_size=1, max_size=3)), max_size=30))
def test_every_byte_is_played_once_and_every_mark_comes_back_once_in_order(sent: list[bytes | str]) -> None:
    playout, returned = Playout(), []
    for piece in sent:
        if isinstance(piece, bytes):
            playout.put(piece)
        else:
            returned += playout.mark(piece)
    played = 0
    while playout.seconds:
        frame = playout.pull()
        played += frame.sound
        returned += frame.marks
    returned += playout.pull().marks
    assert played == sum(len(piece) for piece in sent if isinstance(piece, bytes))
    assert returned == [piece for piece in sent if isinstance(piece, str)]


def test_the_end_of_speech_is_the_last_loud_frame_not_the_end_of_the_file() -> None:
    speech = np.concatenate([sound.silence(0.5), sound.tone(400, 1.0), sound.silence(0.7)])
    bounds = sound.speech_in(speech)
    assert abs(bounds.start - 4_000) <= 80 and abs(bounds.end - 12_000) <= 80
    mouth = Mouth()
    said = mouth.say(speech)
    frames = 0
    while mouth.is_busy:
        mouth.frame(frames * 0.02)
        frames += 1
    assert said.began is not None and abs(said.began - 0.5) <= 0.021
    assert said.ended is not None and abs(said.ended - 1.5) <= 0.021
    assert said.done.is_set() and frames == 110


def test_background_noise_goes_on_between_the_words_and_a_muted_phone_sends_nothing() -> None:
    mouth = Mouth()
    mouth.background = sound.noise(0.05)
    assert np.abs(mouth.frame(0.0)).max() > 0 and np.abs(mouth.frame(0.02)).max() > 0
    mouth.muted = True
    assert not mouth.frame(0.04).any()


def test_keys_have_the_two_tones_of_the_standard() -> None:
    made = sound.key_tone("5", 0.5).astype(float)
    spectrum = np.abs(np.fft.rfft(made))
    loudest = sorted(np.argsort(spectrum)[-2:] * 2)
    assert loudest == [770, 1336]
    for wrong in ("", "E", "12"):
        with pytest.raises(KeyError):
            sound.key_tone(wrong)


def test_files_of_other_rates_and_channels_become_8_khz_mono(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    at = np.arange(44_100) / 44_100
    left = (8_000 * np.sin(2 * np.pi * 440 * at)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(np.stack([left, left], axis=1).tobytes())
    made = sound.from_wav(path)
    assert made.dtype == np.int16 and abs(len(made) - 8_000) <= 1
    assert np.argmax(np.abs(np.fft.rfft(made.astype(float)))) == 440
    path.write_bytes(b"RIFF nonsense")
    with pytest.raises(sound.BadSound):
        sound.from_wav(path)


def test_a_recording_has_the_caller_left_and_the_application_right_in_step(tmp_path: Path) -> None:
    recording = Recording()
    one, two = sound.tone(300, 0.02), sound.tone(600, 0.02)
    recording.add(0.02, one, two)
    recording.add(0.047, one, two)  # a late tick is no gap
    recording.add(2.0, two, one)  # a transfer is one
    both = recording.samples()
    assert both.shape == (16_160, 2)
    assert (both[160:320, 0] == one).all() and (both[160:320, 1] == two).all()
    assert not both[320:16_000].any() and (both[16_000:, 1] == one).all()
    recording.save(tmp_path / "calls" / "call.wav")
    with wave.open(str(tmp_path / "calls" / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8_000, 16_160)


@pytest.mark.parametrize(
    "raw",
    [
        "", "[]", "null", "{", '{"event":"media"}', '{"event":"media","streamSid":"MZ1","media":{"payload":"%%%"}}',
        '{"event":"media","streamSid":"MZ2","media":{"payload":""}}', '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"stop","streamSid":"MZ1"}', '{"event":"media","streamSid":"MZ1","media":"x"}',
    ],
)  # fmt: skip
def test_what_twilio_would_refuse_of_an_application_is_refused(raw: str) -> None:
    with pytest.raises(messages.BadMessage):
        messages.read(raw, "MZ1")
