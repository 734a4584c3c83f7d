// Saves an assessment while its rater writes, and keeps a copy on the device until the server has it.
// Without this file the page is one plain form that is saved by its buttons.
(() => {
  "use strict";
  const ours = "assessment/";
  const kept = (key, value) => {
    try {
      if (value === undefined) return JSON.parse(localStorage.getItem(ours + key));
      if (value === null) localStorage.removeItem(ours + key);
      else localStorage.setItem(ours + key, JSON.stringify(value));
    } catch { /* a browser that keeps nothing still saves */ }
    return null;
  };
  const all = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(ours)).map((key) => key.slice(ours.length));
    } catch {
      return [];
    }
  };

  const leaving = document.querySelector("form[data-leaving]");
  if (leaving) {
    leaving.addEventListener("submit", (event) => {
      if (all().length && !confirm(leaving.dataset.leaving)) event.preventDefault();
      else all().forEach((key) => kept(key, null));
    });
  }
  const final = document.querySelector("[data-kept]");
  if (final) kept(final.dataset.kept, null);

  const form = document.querySelector("form[data-autosave]");
  if (!form) return;
  const fold = document.querySelector("[data-fold]");
  if (fold && matchMedia("(max-width: 63.99rem)").matches) fold.open = false;

  const [saving, saved, offline, refused, reload, away, compare, found, restore, discard] = form.dataset.words.split("|");
  const key = form.dataset.key;
  const version = form.elements.version;
  const clock = (moment) => new Date(moment).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const given = () => [...new FormData(form)].filter(([name, value]) => value && name !== "csrf_token" && name !== "version");
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const state = document.createElement("p");
  state.className = "save-state";
  state.setAttribute("role", "status");
  form.append(state);
  const say = (text, unsaved) => {
    state.textContent = text;
    state.classList.toggle("unsaved", Boolean(unsaved));
  };
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-outline-primary btn-sm";
    made.textContent = text;
    made.onclick = act;
    return made;
  };

  let timer = 0;
  let running = null;
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  };
  const send = async () => {
    const content = given();
    let answer;
    try {
      answer = await fetch(form.dataset.autosave, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.status >= 500) throw new Error(answer.status);
    } catch {
      say(offline, true);
      later(15000);
      return "offline";
    }
    const told = (answer.headers.get("content-type") || "").startsWith("application/json") ? await answer.json() : {};
    if (told.version) {
      version.value = told.version;
      const more = !same(content, given());
      kept(key, more ? { version: version.value, given: given(), at: Date.now() } : null);
      if (more) later(1500);
      else say(saved.replace("#", clock(Date.now())));
      return "saved";
    }
    say(`${refused} ${told.message || (answer.redirected ? away : reload)}`, true);
    if (answer.status === 409) state.append(" ", button(compare, () => form.submit()));
    return answer.redirected ? "offline" : "refused";
  };
  const save = async () => {
    clearTimeout(timer);
    while (running) await running;
    say(saving);
    running = send();
    try {
      return await running;
    } finally {
      running = null;
    }
  };
  const changed = () => {
    kept(key, { version: version.value, given: given(), at: Date.now() });
    later(1500);
  };
  form.addEventListener("input", changed);
  addEventListener("online", () => { if (kept(key)) save(); });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const then = document.createElement("input");
    then.type = "hidden";
    then.name = "then";
    then.value = event.submitter ? event.submitter.value : "";
    if (await save() === "offline") return; // nobody is sent to a page that does not come
    form.append(then);
    form.submit();
  });

  const copy = kept(key);
  if (copy && same(copy.given, given())) kept(key, null);
  else if (copy) {
    const offer = document.createElement("div");
    offer.className = "alert alert-warning";
    offer.setAttribute("role", "alert");
    const at = new Date(copy.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    const decided = () => {
      offer.remove();
      form.inert = false;
    };
    offer.append(`${found.replace("#", at)} `, button(restore, () => {
      decided();
      fill(new Map(copy.given));
      version.value = copy.version;
      save();
    }), " ", button(discard, () => {
      decided();
      kept(key, null);
    }));
    form.inert = true; // else writing on would take the place of the copy
    form.before(offer);
  }

  function fill(values) {
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden" || field.type === "submit") continue;
      const value = values.get(field.name) || "";
      if (field.type === "radio") field.checked = field.value === value;
      else field.value = value;
      const folded = field.closest("details");
      if (value && folded) folded.open = true;
    }
  }
})();
