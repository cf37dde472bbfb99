/* The phone on the demo page: it calls as the chosen customer. The simulated carrier asks the webhook and says what the
 * call does; the sound goes from here straight to the media socket, in Twilio's own message format.
 */
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const card = $("call-card"), log = $("call-log"), pad = $("keypad");
  const KEYS = { 1: "", 2: "abc", 3: "def", 4: "ghi", 5: "jkl", 6: "mno", 7: "pqrs", 8: "tuv", 9: "wxyz", "*": "back", 0: "person", "#": "done" };
  const TONES = { rows: [697, 770, 852, 941], columns: [1209, 1336, 1477], order: "123456789*0#" };
  let caller = { name: "A phone that is not on file", phone: "+12075550190" };
  let call = null; // the call under way

  const nice = (phone) => phone.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "$1-$2-$3");
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  async function ask(path, method = "GET", body) {
    const options = { method, headers: { "content-type": "application/json" } };
    if (body) options.body = JSON.stringify(body);
    const answer = await fetch(path, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  // ---- sound

  async function openSound() {
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule("/pages/phone-worklet.js");
    const node = new AudioWorkletNode(context, "phone-line", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    node.connect(context.destination);
    await context.resume();
    return { context, node, microphone: null };
  }

  async function openMicrophone(sound) {
    const wanted = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    sound.microphone = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    sound.context.createMediaStreamSource(sound.microphone).connect(sound.node);
  }

  function closeSound(sound) {
    sound.microphone?.getTracks().forEach((track) => track.stop());
    sound.context.close().catch(() => {});
  }

  // ---- the call

  async function dial() {
    if (call) return;
    const mine = call = { sid: "", version: -1, sound: null, socket: null, stream: "", began: 0, muted: false, shown: "0", live: true, seen: new Set() };
    log.replaceChildren();
    card.dataset.state = "ringing";
    say("Asking for the microphone…");
    $("call-note").textContent = "";
    try {
      mine.sound = await openSound();
      mine.sound.node.port.onmessage = ({ data }) => fromSound(mine, data);
    } catch {
      return finish(mine, "This browser cannot play calls");
    }
    try {
      await openMicrophone(mine.sound);
    } catch {
      $("call-note").textContent = "The microphone is not available or was refused. You can listen and use the keypad.";
      showKeypad(true);
    }
    if (!mine.live) return; // hung up while the browser asked
    say(`Calling as ${nice(caller.phone)}…`);
    mine.sound.node.port.postMessage({ tone: [440, 480], seconds: 1.2 });
    try {
      take(mine, await ask("/sandbox/calls", "POST", { from: caller.phone, dialled: { status: "completed", ring_seconds: 2 } }));
    } catch {
      return finish(mine, "The simulated carrier does not answer");
    }
    $("hang-up").focus();
    follow(mine);
    transcribe(mine);
  }

  /* Learn what the call does; a request waits for news at the other end. */
  async function follow(mine) {
    let failures = 0;
    while (mine.live) {
      try {
        take(mine, await ask(`/sandbox/calls/${mine.sid}?after=${mine.version}`));
        failures = 0;
      } catch {
        if (++failures > 4) return finish(mine, "The line was lost");
        await wait(500 * failures);
      }
    }
  }

  function take(mine, state) {
    if (!mine.live || state.version < mine.version) return;
    const news = state.version !== mine.version;
    mine.sid = state.sid;
    mine.version = state.version;
    if (!["ringing", "in-progress"].includes(state.status)) return finish(mine, ended(state, mine));
    if (state.status === "in-progress" && !mine.began) mine.began = Date.now();
    if (!news) return;
    const doing = state.doing;
    if (doing.verb !== "stream" || doing.stream_sid !== mine.stream) leaveStream(mine, true);
    window.speechSynthesis?.cancel();
    if (doing.verb === "stream" && doing.stream_sid !== mine.stream) openStream(mine, doing);
    else if (doing.verb === "say" || doing.verb === "gather") announce(mine, doing);
    else if (doing.verb === "dial") {
      card.dataset.state = "transferred";
      say(doing.answered ? `Transferred to ${doing.number}` : `Transferring to ${doing.number}…`);
      if (!doing.answered) mine.sound.node.port.postMessage({ tone: [440, 480], seconds: 1.6 });
    }
  }

  const ended = (state, mine) => state.status === "busy" ? "Busy" : state.status === "completed" ? `Call ended${mine.began ? `, ${lasted(mine)}` : ""}` : "The call was not answered";

  /* The carrier's own voice: the keypad menu when the conversation cannot be had. */
  function announce(mine, doing) {
    card.dataset.state = "connected";
    say(doing.verb === "gather" ? "Connected: press a key" : "Connected");
    if (doing.verb === "gather") showKeypad(true);
    if (!doing.text) return;
    line("out", doing.text, "menu");
    if (window.speechSynthesis) speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(doing.text), { lang: doing.language || "en-US" }));
  }

  function finish(mine, words) {
    if (!mine.live) return;
    mine.live = false;
    leaveStream(mine, true);
    window.speechSynthesis?.cancel();
    if (mine.sound) closeSound(mine.sound);
    card.dataset.state = "ended";
    say(words);
    const focused = card.contains(document.activeElement);
    if (call === mine) call = null;
    draw();
    if (focused) $("dial").focus();
  }

  async function hangUp() {
    const mine = call;
    if (!mine) return;
    finish(mine, `Call ended${mine.began ? `, ${lasted(mine)}` : ""}`);
    if (mine.sid) await ask(`/sandbox/calls/${mine.sid}/hang-up`, "POST").catch(() => {});
  }

  // ---- the media stream: we are Twilio's end of it

  function openStream(mine, doing) {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${new URL(doing.url).pathname}`);
    mine.socket = socket;
    mine.stream = doing.stream_sid;
    mine.chunk = 0;
    mine.sequence = 0;
    socket.onopen = () => {
      socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
      post(mine, "start", {
        accountSid: doing.account_sid, streamSid: doing.stream_sid, callSid: mine.sid, tracks: ["inbound"],
        mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 }, customParameters: doing.parameters,
      });
      mine.sound.node.port.postMessage({ line: true });
      card.dataset.state = "connected";
      say("Connected");
    };
    socket.onmessage = ({ data }) => fromApplication(mine, JSON.parse(data));
    socket.onclose = () => {
      if (mine.socket !== socket) return; // we left it
      leaveStream(mine, false);
      ask(`/sandbox/calls/${mine.sid}/stream-ended`, "POST", { stream_sid: doing.stream_sid, ending: "closed" }).then((state) => take(mine, state)).catch(() => {});
    };
  }

  function leaveStream(mine, withStop) {
    const socket = mine.socket;
    mine.socket = null;
    if (!socket) return;
    if (withStop && socket.readyState === WebSocket.OPEN) {
      post({ ...mine, socket }, "stop", { callSid: mine.sid });
      socket.close();
    } else if (withStop) socket.close();
    mine.sound.node.port.postMessage({ line: false });
    mine.sound.node.port.postMessage({ clear: true });
  }

  function post(mine, event, body) {
    if (mine.socket?.readyState !== WebSocket.OPEN) return;
    mine.socket.send(JSON.stringify({ event, sequenceNumber: String(++mine.sequence), streamSid: mine.stream, [event]: body }));
  }

  function fromApplication(mine, message) {
    const port = mine.sound.node.port;
    if (message.event === "media") port.postMessage({ sound: Uint8Array.from(atob(message.media.payload), (one) => one.charCodeAt(0)) });
    else if (message.event === "mark") port.postMessage({ mark: message.mark.name });
    else if (message.event === "clear") port.postMessage({ clear: true });
  }

  function fromSound(mine, data) {
    if (data.mark !== undefined) return post(mine, "mark", { name: data.mark });
    mine.chunk += 1;
    post(mine, "media", { track: "inbound", chunk: String(mine.chunk), timestamp: String(20 * mine.chunk), payload: btoa(String.fromCharCode(...data.frame)) });
    if (mine.chunk % 4 === 0) $("level").style.setProperty("--level", Math.min(1, data.level * 2.5).toFixed(2));
  }

  // ---- what was said

  async function transcribe(mine) {
    do {
      await wait(350);
      try { for (const one of await ask(`/sandbox-conversation/${mine.sid}?after=${mine.shown}`)) entry(mine, one); } catch { /* the next one may come */ }
    } while (mine.live);
  }

  function entry(mine, one) {
    mine.shown = one.id;
    if (!one.text) return;
    line(one.direction, one.text, one.source, one.interrupted !== null);
  }

  function line(direction, text, source = "", interrupted = false) {
    const bubble = document.createElement("p");
    bubble.className = direction === "in" ? "in" : "out";
    if (source === "safety") bubble.classList.add("safety");
    bubble.dir = "auto";
    const who = document.createElement("span");
    who.className = "hidden";
    who.textContent = direction === "in" ? "Caller: " : "Assistant: ";
    bubble.append(who, text);
    if (interrupted) {
      const note = document.createElement("small");
      note.textContent = "interrupting";
      bubble.append(note);
    }
    log.append(bubble);
    log.scrollTop = log.scrollHeight;
  }

  // ---- keys and buttons

  function press(key) {
    if (!call?.sid) return;
    const at = TONES.order.indexOf(key);
    call.sound.node.port.postMessage({ tone: [TONES.rows[Math.floor(at / 3)], TONES.columns[at % 3]], seconds: 0.16 });
    if (call.socket) post(call, "dtmf", { track: "inbound_track", digit: key });
    else ask(`/sandbox/calls/${call.sid}/keys`, "POST", { keys: key }).catch(() => {});
    $("pressed").textContent += key;
  }

  function showKeypad(open) {
    pad.hidden = !open;
    $("keys").setAttribute("aria-expanded", String(open));
  }

  function mute() {
    if (!call?.sound) return;
    call.muted = !call.muted;
    call.sound.node.port.postMessage({ muted: call.muted });
    draw();
  }

  const say = (words) => { $("call-state").textContent = words; draw(); };
  const lasted = (mine) => { const seconds = Math.floor((Date.now() - mine.began) / 1000); return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`; };

  function draw() {
    const live = Boolean(call);
    $("dial").hidden = live;
    $("in-call").hidden = !live;
    $("call-time").textContent = live && call.began ? lasted(call) : "";
    $("mute").setAttribute("aria-pressed", String(Boolean(call?.muted)));
    $("mute").lastElementChild.textContent = call?.muted ? "Unmute" : "Mute";
    log.hidden = !live && !log.childElementCount;
    if (!live) { showKeypad(false); $("pressed").textContent = ""; $("level").style.setProperty("--level", 0); }
  }

  for (const [key, letters] of Object.entries(KEYS).sort((one, two) => TONES.order.indexOf(one[0]) - TONES.order.indexOf(two[0]))) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "key";
    const name = document.createElement("b"), small = document.createElement("small");
    name.textContent = key;
    small.textContent = letters || "\u00a0";
    button.append(name, small);
    button.setAttribute("aria-label", { "*": "star, go back", "#": "pound, done", 0: "0, a person" }[key] || key);
    button.addEventListener("click", () => press(key));
    $("pad-keys").append(button);
  }
  $("dial").addEventListener("click", dial);
  $("hang-up").addEventListener("click", hangUp);
  $("mute").addEventListener("click", mute);
  $("keys").addEventListener("click", () => showKeypad(pad.hidden));
  card.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !TONES.order.includes(event.key) || event.key.length !== 1) return;
    event.preventDefault();
    press(event.key);
  });
  document.addEventListener("customer", ({ detail }) => {
    caller = detail ?? { name: "A phone that is not on file", phone: "+12075550190" };
    $("call-who").textContent = `${caller.name}, ${nice(caller.phone)}.`;
  });
  addEventListener("pagehide", () => { if (call?.sid) navigator.sendBeacon(`/sandbox/calls/${call.sid}/hang-up`); });
  setInterval(() => { if (call) draw(); }, 500);
  draw();
})();
