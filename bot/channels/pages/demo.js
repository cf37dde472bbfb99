/* The demo page's own hands: pick a customer, text from their phone, switch storms and outages. */
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const people = $("people"), texts = $("texts"), said = $("said");
  let customer = null, customers = [], shown = "", outage = null;

  async function call(path, method = "GET", body) {
    const options = { method, headers: body ? { "content-type": "application/json" } : {} };
    if (body) options.body = JSON.stringify(body);
    const answer = await fetch(path, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  // ---- customers

  async function loadCustomers() {
    customers = await call("/sandbox/customers");
    const visitor = { key: "", name: "A visitor", situation: "Not signed in; nobody knows who it is." };
    people.replaceChildren(...[visitor, ...customers].map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "person";
      button.setAttribute("aria-pressed", String(one.key === (customer?.key ?? "")));
      const name = document.createElement("strong");
      name.textContent = one.name;
      const facts = document.createElement("span");
      facts.textContent = one.situation;
      button.append(name, facts);
      if (one.phone) {
        const where = document.createElement("span");
        where.textContent = `${one.address} · ${nice(one.phone)} · account ${one.account_number}`;
        button.append(where);
      }
      button.addEventListener("click", () => become(one.key ? one : null));
      item.append(button);
      return item;
    }));
  }

  const nice = (phone) => phone.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "$1-$2-$3");

  async function become(one) {
    customer = one;
    outage = null;
    shown = "";
    [...people.querySelectorAll("button")].forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === (one ? customers.indexOf(one) + 1 : 0)));
    });
    $("chat-who").textContent = one ? `${one.name}, signed in.` : "A visitor who is not signed in.";
    document.dispatchEvent(new CustomEvent("customer", { detail: one ? { name: one.name, phone: one.phone } : null }));
    $("phone-who").textContent = one ? `${one.name}'s phone, ${nice(one.phone)}.` : "A phone that is not on file, 207-555-0190.";
    await tell(async () => {
      if (one) {
        const { token } = await call("/sandbox-login", "POST", { phone: one.phone, account: one.account_number });
        await window.Porchlight.signIn(token);
      } else {
        await window.Porchlight.restart();
      }
      await Promise.all([readTexts(), readGrid()]);
    });
  }

  // ---- the phone

  const number = () => customer?.phone ?? "+12075550190";

  async function readTexts() {
    const thread = await call(`/sandbox/texts?phone=${encodeURIComponent(number())}`);
    const now = JSON.stringify(thread.map((one) => one.sid));
    if (now === shown) return;
    shown = now;
    if (!thread.length) {
      const empty = document.createElement("p");
      empty.className = "empty";
      empty.textContent = "No texts yet. Try “its pitch dark at my place”.";
      texts.replaceChildren(empty);
      return;
    }
    texts.replaceChildren(...thread.map((one) => {
      const bubble = document.createElement("p");
      bubble.className = one.direction === "inbound" ? "in" : "out";
      bubble.dir = "auto";
      bubble.textContent = one.body || (one.media.length ? "(picture)" : "");
      return bubble;
    }));
    texts.scrollTop = texts.scrollHeight;
  }

  $("texting").addEventListener("submit", (event) => {
    event.preventDefault();
    const body = $("text").value.trim();
    if (!body) return;
    $("text").value = "";
    tell(async () => { await call("/sandbox/texts", "POST", { from: number(), body, media: [] }); await readTexts(); });
  });

  // ---- the grid

  async function readGrid() {
    const state = await call("/sandbox/state");
    $("outages").textContent = state.active_outages.toLocaleString();
    $("out").textContent = state.customers_out.toLocaleString();
    flip($("storm"), state.storm);
    const here = (await call("/sandbox/customers")).find((one) => one.key === customer?.key);
    outage = here?.premises.map((premise) => premise.outage_id).find(Boolean) ?? null;
    $("outage").disabled = !here;
    flip($("outage"), Boolean(outage));
    $("here").textContent = !here ? "Pick a customer first." : outage ? `At ${here.address}.` : `None at ${here.address}.`;
  }

  function flip(button, on) {
    button.setAttribute("aria-checked", String(on));
    button.textContent = on ? "On" : "Off";
  }

  $("storm").addEventListener("click", () => tell(async () => {
    const on = $("storm").getAttribute("aria-checked") === "true";
    await call("/sandbox/storm", on ? "DELETE" : "POST", on ? undefined : { customers: 20000, seed: 1, speed: 60 });
    await readGrid();
  }));
  $("outage").addEventListener("click", () => tell(async () => {
    if (outage) await call(`/sandbox/outages/${encodeURIComponent(outage)}`, "DELETE");
    else await call("/sandbox/outages", "POST", { service_point_id: customer.service_point_id, customers: 240, etr_minutes: 95, etr_class: "CREW", cause: "tree on the line", crew: "EN_ROUTE" });
    await readGrid();
  }));
  $("reset").addEventListener("click", () => tell(async () => { await call("/sandbox/reset", "POST"); await Promise.all([loadCustomers(), readGrid()]); }));

  // ---- all of it

  async function tell(work) {
    try { await work(); said.textContent = ""; }
    catch { said.textContent = "The simulated utility did not answer. Is everything running?"; }
  }

  async function readReady() {
    let words = "The gateway does not answer", ready = false;
    try {
      const answer = await (await fetch("/readyz")).json();
      ready = answer.ready;
      const missing = Object.entries(answer).filter(([name, state]) => name !== "ready" && state !== "ok").map(([name]) => name);
      words = missing.length ? `Waiting for ${missing.join(", ")}` : "Ready";
    } catch { /* said above */ }
    $("ready").textContent = words;
    $("ready").dataset.ready = String(ready);
  }

  function every(milliseconds, work) {
    const step = async () => { if (!document.hidden) await work().catch(() => {}); setTimeout(step, milliseconds); };
    step();
  }

  tell(loadCustomers);
  every(1200, readTexts);
  every(3000, readGrid);
  every(5000, readReady);
})();
