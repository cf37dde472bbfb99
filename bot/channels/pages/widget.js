/* The chat that any page of the utility may embed:
 *
 *   <script src="https://chat.example.com/widget.js" data-title="Juniper Bay Energy" defer></script>
 *
 * data-server    where the gateway is; by default where this script came from
 * data-title     the utility's name
 * data-person    the number of a person
 * data-customer  a signed token of the portal for a customer who is signed in
 * data-mount     a selector: sit in that element instead of floating over the page
 *
 * window.Porchlight: open(), close(), signIn(token), restart(). It styles itself inside a shadow root, takes nothing from
 * the page's styles, and leaves nothing in them.
 */
(() => {
  "use strict";

  const script = document.currentScript;
  const server = new URL(script?.dataset.server || script?.src || location.href, location.href).origin;
  const title = script?.dataset.title || "Chat with us";
  const person = script?.dataset.person || "";
  const mount = script?.dataset.mount ? document.querySelector(script.dataset.mount) : null;
  const sameSite = server === location.origin;
  const STORE = "porchlight.session";
  const CSS = `
    :host { all: initial; }
    :host(.mounted) { display: block; height: 100%; }
    * { box-sizing: border-box; }
    .root {
      --ink: #16302c; --soft: #4d625d; --paper: #ffffff; --mist: #eef4f1; --line: #cfdcd7;
      --leaf: #11574c; --leaf-ink: #ffffff; --edge: #11574c; --mine: #11574c; --mine-ink: #ffffff;
      --lamp: #f0a93c; --danger: #8f1d1d; --danger-paper: #fdeeec; --focus: #0b63ce;
      font: 400 16px/1.45 Seravek, "Gill Sans Nova", Ubuntu, Calibri, "Segoe UI", system-ui, sans-serif;
      color: var(--ink); letter-spacing: 0;
    }
    @media (prefers-color-scheme: dark) {
      .root:not([data-theme="light"]) {
        --ink: #e6efec; --soft: #a9bdb7; --paper: #14211f; --mist: #1c2d2a; --line: #35504a;
        --leaf: #0f4a41; --leaf-ink: #f1faf7; --edge: #7fb8ab; --mine: #1d6f61; --mine-ink: #ffffff;
        --danger: #ffb4a8; --danger-paper: #3a1714; --focus: #8ec5ff;
      }
    }
    button, textarea { font: inherit; color: inherit; letter-spacing: inherit; }
    button { cursor: pointer; }
    :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    [hidden] { display: none !important; }

    .launcher {
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; display: flex; align-items: center; gap: 10px;
      min-height: 52px; padding: 0 20px 0 16px; border: 0; border-radius: 26px; background: var(--leaf);
      color: var(--leaf-ink); font-weight: 600; box-shadow: 0 6px 24px rgb(9 35 30 / .28);
    }
    .launcher:hover { filter: brightness(1.12); }
    .lamp { flex: none; width: 22px; height: 22px; }

    .panel {
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483001; display: flex; flex-direction: column;
      width: min(400px, calc(100vw - 40px)); height: min(640px, calc(100dvh - 40px)); overflow: hidden;
      background: var(--paper); border: 1px solid var(--line); border-radius: 16px;
      box-shadow: 0 18px 60px rgb(9 35 30 / .3);
    }
    .root.mounted { height: 100%; }
    .mounted .panel { position: static; width: 100%; height: 100%; box-shadow: none; }
    @media (max-width: 480px) {
      .root:not(.mounted) .panel { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
    }
    header { display: flex; align-items: center; gap: 12px; padding: 14px 12px 14px 16px; background: var(--leaf); color: var(--leaf-ink); }
    header .lamp { width: 26px; height: 26px; }
    header h2 { margin: 0; font-size: 17px; font-weight: 650; line-height: 1.2; }
    header p { margin: 2px 0 0; font-size: 13.5px; line-height: 1.3; opacity: .92; }
    header a { color: inherit; }
    header div { flex: 1; min-width: 0; }
    .close { flex: none; width: 44px; height: 44px; border: 0; border-radius: 10px; background: transparent; color: inherit; }
    .close:hover { background: rgb(255 255 255 / .14); }
    header :focus-visible { outline-color: #fff; }

    .state { padding: 7px 16px; font-size: 14px; background: var(--mist); color: var(--soft); border-bottom: 1px solid var(--line); }
    .log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; gap: 10px; }
    .message { max-width: 86%; padding: 10px 14px; border-radius: 16px; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
    .bot { align-self: flex-start; background: var(--mist); border-bottom-left-radius: 5px; }
    .user { align-self: flex-end; background: var(--mine); color: var(--mine-ink); border-bottom-right-radius: 5px; }
    .waiting { opacity: .62; }
    .safety { align-self: stretch; max-width: 100%; background: var(--danger-paper); color: var(--danger); border: 2px solid currentColor; font-weight: 600; }
    .note { align-self: center; max-width: 94%; font-size: 14px; color: var(--soft); text-align: center; }
    .message a { color: inherit; font-weight: 650; }
    .message img { display: block; max-width: 100%; border-radius: 10px; margin-top: 8px; }
    .choices { display: flex; flex-wrap: wrap; gap: 8px; max-width: 100%; }
    .choice { min-height: 44px; padding: 8px 16px; border: 1.5px solid var(--edge); border-radius: 22px; background: var(--paper); color: var(--ink); font-weight: 600; text-align: start; }
    .choice:hover { background: var(--mist); }
    .typing { align-self: flex-start; display: flex; gap: 5px; padding: 14px 16px; background: var(--mist); border-radius: 16px; border-bottom-left-radius: 5px; }
    .typing i { width: 8px; height: 8px; border-radius: 50%; background: var(--soft); animation: breathe 1.2s infinite ease-in-out; }
    .typing i:nth-child(2) { animation-delay: .16s; }
    .typing i:nth-child(3) { animation-delay: .32s; }
    @keyframes breathe { 0%, 70%, 100% { opacity: .3; } 35% { opacity: 1; } }
    @media (prefers-reduced-motion: reduce) { .typing i { animation: none; opacity: .7; } }

    form { display: flex; align-items: flex-end; gap: 8px; padding: 12px; border-top: 1px solid var(--line); background: var(--paper); }
    textarea { flex: 1; min-width: 0; min-height: 46px; max-height: 140px; padding: 11px 14px; resize: none; border: 1.5px solid var(--line); border-radius: 14px; background: var(--paper); line-height: 22px; }
    textarea::placeholder { color: var(--soft); opacity: 1; }
    .send { flex: none; width: 46px; height: 46px; display: grid; place-items: center; border: 0; border-radius: 14px; background: var(--leaf); color: var(--leaf-ink); }
    .send:hover { filter: brightness(1.12); }
    @media (forced-colors: active) { .message, .launcher, .choice { border: 1px solid; } }
  `;

  const LAMP = `<svg class="lamp" viewBox="0 0 24 24" fill="none" aria-hidden="true">
    <path d="M12 2v2.5M7 9l2-4.5h6L17 9" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>
    <path d="M7 9h10l-1.2 9H8.2z" fill="#f0a93c" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round"/>
    <path d="M9 21h6" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg>`;
  const CROSS = `<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path d="M5 5l10 10M15 5L5 15" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>`;
  const ARROW = `<svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true"><path d="M11 17V5M5.5 10.5L11 5l5.5 5.5" stroke="currentColor" stroke-width="2.2" fill="none" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

  // ---- the parts on the page

  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  shadow.adoptedStyleSheets = [sheet];
  shadow.innerHTML = `
    <div class="root">
      <button class="launcher" type="button" aria-haspopup="dialog" aria-expanded="false">${LAMP}<span></span></button>
      <section class="panel" role="dialog" aria-modal="false" aria-labelledby="title" hidden>
        <header>${LAMP}<div><h2 id="title"></h2><p class="sub"></p></div>
          <button class="close" type="button" aria-label="Close chat">${CROSS}</button></header>
        <div class="state" role="status" hidden></div>
        <div class="log" role="log" aria-live="polite" aria-label="Conversation" tabindex="0"></div>
        <form><label class="hidden" for="text">Your message</label>
          <textarea id="text" rows="1" enterkeyhint="send" autocomplete="off" placeholder="Type your message"></textarea>
          <button class="send" type="submit" aria-label="Send message">${ARROW}</button></form>
      </section>
    </div>`;
  const $ = (selector) => shadow.querySelector(selector);
  const root = $(".root"), launcher = $(".launcher"), panel = $(".panel"), log = $(".log"), state = $(".state");
  const text = $("textarea"), form = $("form");
  launcher.querySelector("span").textContent = "Chat with us";
  $("#title").textContent = title;
  const sub = $(".sub");
  sub.append("Automated assistant");
  if (person) sub.append(" · a person: ", telephone(person));
  if (mount) {
    root.classList.add("mounted");
    launcher.hidden = true;
    $(".close").hidden = true;
    panel.hidden = false;
    panel.setAttribute("role", "region");
  }

  // ---- the conversation

  let socket = null, attempt = 0, timer = 0, heartbeat = 0, wanted = false;
  let conversation = "", seq = 0, choices = null, typing = null, typingTimer = 0;
  let session = sameSite ? "" : load();
  const outbox = new Map(); // what was sent and has not come back yet: client's id -> frame
  const bubbles = new Map(); // client's id -> element

  function load() { try { return sessionStorage.getItem(STORE) || ""; } catch { return ""; } }
  function keep(token) {
    session = token;
    if (!sameSite) try { sessionStorage.setItem(STORE, token); } catch { /* the page allows no storage */ }
  }

  async function connect() {
    clearTimeout(timer);
    wanted = true;
    if (socket && socket.readyState <= WebSocket.OPEN) return;
    // The first visit asks over HTTP, because only there a cookie that scripts cannot read can be set.
    if (!session) {
      try {
        const token = script?.dataset.customer;
        const answer = token ? await ask({ customer: token }) : await ask();
        keep(answer.session);
      } catch { return again(); }
    }
    const address = new URL("/chat/ws", server.replace(/^http/, "ws"));
    address.searchParams.set("session", session);
    address.searchParams.set("after", String(seq));
    const mine = socket = new WebSocket(address);
    mine.onopen = () => { attempt = 0; heartbeat = setInterval(() => send({ type: "ping" }), 25000); };
    mine.onmessage = (event) => { if (mine === socket) receive(JSON.parse(event.data)); };
    mine.onclose = () => { if (mine === socket) { clearInterval(heartbeat); again(); } };
  }

  async function ask(body) {
    const options = { credentials: sameSite ? "same-origin" : "omit" };
    if (body) Object.assign(options, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const answer = await fetch(new URL("/chat/session", server), options);
    if (!answer.ok) throw new Error("no session");
    return answer.json();
  }

  function again() {
    socket = null;
    if (!wanted) return;
    stopTyping();
    if (attempt > 0) say("The connection is lost. Your messages are kept and will be sent when it is back.");
    attempt += 1;
    const pause = Math.min(10000, 300 * 2 ** Math.min(attempt, 6)) * (0.6 + Math.random() * 0.6);
    timer = setTimeout(connect, pause);
  }

  function send(frame) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function receive(message) {
    if (message.seq && message.type !== "hello") {
      if (message.seq <= seq) return;
      seq = message.seq;
    }
    switch (message.type) {
      case "hello": return hello(message);
      case "user": return showUser(message.id, message.text, false);
      case "bot": case "agent": return showReply(message);
      case "typing": return startTyping();
      case "error": return showError(message);
    }
  }

  function hello(message) {
    say("");
    if (conversation && conversation !== message.conversation) clear();
    if (message.seq < seq) seq = 0;
    conversation = message.conversation;
    keep(message.session || session);
    if (!log.childElementCount) {
      note(`Hello. I am ${title}'s automated assistant. Tell me what is going on, in your own words.` +
        (person ? ` To speak with a person at any time, say so or call ${person}.` : ""), "message bot");
    }
    // Frames have ids; one that did arrive is passed over there.
    for (const frame of outbox.values()) send(frame);
  }

  function submit(value) {
    const words = value.trim();
    if (!words) return;
    const id = fresh();
    deliver(id, { type: "user", text: words, id }, words);
  }

  function choose(choice) {
    const id = fresh();
    deliver(id, { type: "choice", id: choice.id, message: id }, choice.title);
    text.focus({ preventScroll: true });
  }

  function deliver(id, frame, words) {
    outbox.set(id, frame);
    showUser(id, words, true);
    send(frame);
    if (!socket) connect();
  }

  function fresh() { return crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`; }

  // ---- what is seen and heard

  function showUser(id, words, waiting) {
    let bubble = bubbles.get(id);
    if (!bubble) {
      bubble = note("", "message user", "You said: ");
      bubble.append(words);
      bubbles.set(id, bubble);
      endChoices();
      scroll(true);
    }
    bubble.classList.toggle("waiting", waiting);
    if (!waiting) outbox.delete(id);
  }

  function showReply(message) {
    if (message.text || message.image || message.buttons?.length) {
      stopTyping();
      endChoices();
      const safety = message.source === "safety";
      const who = safety ? "Safety message: " : message.type === "agent" ? "Agent: " : "Assistant: ";
      if (message.text || message.image) {
        const bubble = note("", `message bot${safety ? " safety" : ""}`, who);
        bubble.append(...linked(message.text || ""));
        if (message.image && /^(https?:)?\/|^[\w.]/.test(message.image)) {
          const image = document.createElement("img");
          image.src = new URL(message.image, server).href;
          image.alt = "Picture from the assistant";
          image.onload = () => scroll();
          bubble.append(image);
        }
      }
      if (message.buttons?.length) offer(message.buttons);
      scroll();
    }
    if (message.final) stopTyping(); else startTyping();
  }

  function offer(buttons) {
    choices = document.createElement("div");
    choices.className = "choices";
    choices.setAttribute("role", "group");
    choices.setAttribute("aria-label", "Choices");
    for (const choice of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "choice";
      button.textContent = choice.title;
      button.addEventListener("click", () => choose(choice));
      choices.append(button);
    }
    log.append(choices);
  }

  function endChoices() { choices?.remove(); choices = null; }

  function showError(message) {
    stopTyping();
    note(message.text || "Something went wrong.", "note");
    // A message that was refused is given back to the customer, not dropped.
    const frame = outbox.get(message.id);
    if (frame) {
      outbox.delete(message.id);
      bubbles.get(message.id)?.remove();
      bubbles.delete(message.id);
      if (frame.type === "user" && !text.value) text.value = frame.text;
    }
    scroll();
  }

  function note(words, kind, prefix = "") {
    const element = document.createElement("div");
    element.className = kind;
    element.dir = "auto";
    if (prefix) {
      const who = document.createElement("span");
      who.className = "hidden";
      who.textContent = prefix;
      element.append(who);
    }
    element.append(words);
    if (typing) log.insertBefore(element, typing); else log.append(element);
    return element;
  }

  function startTyping() {
    clearTimeout(typingTimer);
    typingTimer = setTimeout(stopTyping, 45000);
    if (typing) return;
    typing = document.createElement("div");
    typing.className = "typing";
    typing.setAttribute("aria-hidden", "true");
    typing.append(document.createElement("i"), document.createElement("i"), document.createElement("i"));
    log.append(typing);
    scroll();
  }

  function stopTyping() { clearTimeout(typingTimer); typing?.remove(); typing = null; }

  function say(words) { state.textContent = words; state.hidden = !words; }

  function scroll(always = false) {
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < 260;
    if (always || near) log.scrollTop = log.scrollHeight;
  }

  function clear() {
    log.replaceChildren();
    bubbles.clear();
    outbox.clear();
    choices = typing = null;
    seq = 0;
  }

  function telephone(number) {
    const link = document.createElement("a");
    link.href = `tel:${number.replace(/[^\d+]/g, "")}`;
    link.textContent = number;
    return link;
  }

  /** Text with its telephone numbers and addresses as links; never as HTML. */
  function linked(words) {
    return words.split(/(\bhttps:\/\/[^\s<>"]+[^\s<>".,;:!?)]|\b(?:\+?1[-. ])?(?:\d{3}[-. ])?\d{3}-\d{4}\b|\b911\b)/).map((part, index) => {
      if (index % 2 === 0) return part;
      if (!part.startsWith("https:")) return telephone(part);
      const link = document.createElement("a");
      link.href = part;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      link.textContent = part;
      return link;
    });
  }

  // ---- hands

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(text.value);
    text.value = "";
    grow();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  text.addEventListener("input", grow);
  function grow() { text.style.height = "auto"; text.style.height = `${Math.min(text.scrollHeight + 2, 140)}px`; }
  launcher.addEventListener("click", open);
  $(".close").addEventListener("click", close);
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape" && !mount) close(); });
  addEventListener("online", () => { attempt = 0; if (wanted && !socket) connect(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted && !socket) connect(); });

  function open() {
    panel.hidden = false;
    launcher.hidden = true;
    launcher.setAttribute("aria-expanded", "true");
    connect();
    text.focus({ preventScroll: true });
    scroll(true);
  }

  function close() {
    if (mount) return;
    panel.hidden = true;
    launcher.hidden = false;
    launcher.setAttribute("aria-expanded", "false");
    launcher.focus();
  }

  async function change(body) {
    const answer = await ask(body);
    const old = socket;
    socket = null;
    old?.close();
    clear();
    conversation = "";
    keep(answer.session);
    await connect();
  }

  window.Porchlight = {
    open,
    close,
    /** Become the customer whom a portal's token vouches for, in a conversation of their own. */
    signIn: (token) => change({ customer: token, session, fresh: true }),
    /** Begin a new conversation as a visitor. */
    restart: () => change({ fresh: true, visitor: true }),
  };

  const attach = () => { (mount || document.body).append(host); if (mount) { host.classList.add("mounted"); connect(); } };
  if (document.body) attach(); else addEventListener("DOMContentLoaded", attach);
})();
