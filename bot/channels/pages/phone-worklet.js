/* The sound of a call, on the audio thread: the microphone to 8 kHz mu-law in frames of 20 ms, and what the other side
 * sends to the loudspeaker, with Twilio's marks and clear.
 *
 * In:  {sound: Uint8Array} | {mark: name} | {clear: true} | {muted: bool} | {line: bool} | {tone: [hertz, ...], seconds}
 * Out: {frame: Uint8Array, level} | {mark: name}
 */
"use strict";

const RATE = 8000, FRAME = 160, PHASES = 64;

const decoded = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 255;
  const size = (((bits & 15) << 3) + 132) << ((bits & 112) >> 4);
  return (bits & 128 ? 132 - size : size - 132) / 32768;
});

function encoded(value) {
  const sample = Math.max(-32635, Math.min(32635, Math.round(value * 32767)));
  const size = Math.abs(sample) + 132;
  const segment = Math.floor(Math.log2(size)) - 7;
  return ~((sample < 0 ? 128 : 0) | (segment << 4) | ((size >> (segment + 3)) & 15)) & 255;
}

/* Windowed-sinc interpolation between two rates; what the slower one cannot hold is filtered out. */
class Resampler {
  constructor(from, to) {
    this.step = from / to;
    const share = Math.min(1, to / from) * 0.92;
    this.half = Math.ceil(8 / share);
    const taps = 2 * this.half;
    this.kernels = Array.from({ length: PHASES }, (_, phase) => {
      const kernel = new Float32Array(taps);
      let sum = 0;
      for (let at = 0; at < taps; at++) {
        const x = at - this.half + 1 - phase / PHASES;
        const sinc = x === 0 ? share : Math.sin(Math.PI * x * share) / (Math.PI * x);
        kernel[at] = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / this.half));
        sum += kernel[at];
      }
      return kernel.map((one) => one / sum);
    });
    this.kept = new Float32Array(taps);
    this.place = 0;
  }

  /* Take one sample; gives those that are due to `out`. */
  push(sample, out) {
    this.kept.copyWithin(0, 1);
    this.kept[this.kept.length - 1] = sample;
    while (this.place < 1) {
      const kernel = this.kernels[Math.floor(this.place * PHASES)];
      let sum = 0;
      for (let at = 0; at < kernel.length; at++) sum += kernel[at] * this.kept[at];
      out(sum);
      this.place += this.step;
    }
    this.place -= 1;
  }
}

class PhoneLine extends AudioWorkletProcessor {
  constructor() {
    super();
    this.down = new Resampler(sampleRate, RATE);
    this.up = new Resampler(RATE, sampleRate);
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.loudest = 0;
    this.muted = false;
    this.line = false;
    this.queue = []; // Uint8Array of sound, or the name of a mark
    this.at = 0;
    this.ready = [];
    this.tone = null;
    this.toFrame = (sample) => this.hear(sample); // made once: this runs 48,000 times a second
    this.toReady = (sample) => this.ready.push(sample);
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(data) {
    if (data.sound) this.queue.push(data.sound);
    else if (data.mark !== undefined) { this.queue.push(data.mark); this.passMarks(); }
    else if (data.clear) {
      const marks = this.queue.filter((one) => typeof one === "string");
      this.queue = [];
      this.at = 0;
      this.ready = [];
      for (const mark of marks) this.port.postMessage({ mark });
    } else if (data.muted !== undefined) this.muted = data.muted;
    else if (data.line !== undefined) { this.line = data.line; this.filled = 0; }
    else if (data.tone) this.tone = data.seconds ? { hertz: data.tone, left: data.seconds * sampleRate, at: 0 } : null;
  }

  passMarks() {
    while (typeof this.queue[0] === "string") this.port.postMessage({ mark: this.queue.shift() });
  }

  /* One sample of the other side at 8 kHz; silence when nothing waits. */
  next() {
    this.passMarks();
    const sound = this.queue[0];
    if (!sound) return 0;
    const sample = decoded[sound[this.at++]];
    if (this.at >= sound.length) { this.queue.shift(); this.at = 0; this.passMarks(); }
    return sample;
  }

  hear(sample) {
    this.loudest = Math.max(this.loudest, Math.abs(sample));
    this.frame[this.filled++] = encoded(this.muted ? 0 : sample);
    if (this.filled < FRAME) return;
    this.port.postMessage({ frame: this.frame.slice(), level: this.muted ? 0 : this.loudest });
    this.filled = 0;
    this.loudest = 0;
  }

  process([input], [output]) {
    const out = output[0], microphone = input[0];
    for (let at = 0; at < out.length; at++) {
      if (this.line) this.down.push(microphone ? microphone[at] : 0, this.toFrame);
      while (!this.ready.length) this.up.push(this.line ? this.next() : 0, this.toReady);
      out[at] = this.ready.shift() + this.toneAt();
    }
    for (let channel = 1; channel < output.length; channel++) output[channel].set(out);
    return true;
  }

  toneAt() {
    if (!this.tone) return 0;
    const at = this.tone.at++ / sampleRate;
    if (this.tone.at >= this.tone.left) this.tone = null;
    return this.tone ? this.tone.hertz.reduce((sum, hertz) => sum + 0.06 * Math.sin(2 * Math.PI * hertz * at), 0) : 0;
  }
}

registerProcessor("phone-line", PhoneLine);
