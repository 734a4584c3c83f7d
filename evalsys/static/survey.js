// One question a screen, large type, reading aloud, and answers that outlive a lost connection.
// Without this file the page is one plain form that does the same. `/s/survey.js` puts `surveyWords` before it.
(() => {
  "use strict";
  const root = document.documentElement;
  const form = document.querySelector("form");
  const [next, back, step, aloud, large, contrast, choose, offline] = surveyWords;
  const place = location.pathname;
  const kept = (name, value) => {
    try {
      if (value === undefined) return JSON.parse(localStorage.getItem(name));
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
    } catch { /* a phone that keeps nothing still sends */ }
    return null;
  };
  const make = (tag, text, before, after) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (after) made.onclick = after;
    if (tag === "button") made.type = "button";
    before.before(made);
    return made;
  };

  const look = kept("look") || [];
  const bar = make("p", "", form);
  bar.className = "tools";
  for (const [name, text] of [["large", large], ["contrast", contrast]]) {
    const button = make("button", text, bar.appendChild(new Text()), () => show());
    const show = (first) => {
      if (!first) look.includes(name) ? look.splice(look.indexOf(name), 1) : look.push(name);
      root.classList.toggle(name, look.includes(name));
      button.setAttribute("aria-pressed", look.includes(name));
      kept("look", look);
    };
    show(true);
  }

  const saved = kept(place);
  const token = form.elements["form-token"];
  if (saved) {
    token.value = saved.token;
    for (const [name, value] of saved.given) {
      const found = form.elements.namedItem(name);
      if (found) found.value = value;
    }
  }
  const answers = () => [...new FormData(form)].filter(([name]) => name !== token.name);
  form.addEventListener("change", () => kept(place, { token: token.value, given: answers() }));

  const questions = [...form.querySelectorAll("fieldset")];
  const steps = [...questions, form.querySelector("section")];
  const send = form.querySelector("[type=submit]");
  const notice = make("p", "", send);
  notice.setAttribute("role", "status");
  notice.className = "notice";

  if (!document.querySelector("[role=alert]")) {
    let at = 0;
    const where = make("p", "", steps[0]);
    const meter = make("progress", "", steps[0]);
    meter.max = steps.length;
    const forward = make("button", next, send, () => {
      const missing = at < questions.length && !steps[at].querySelector("i") && !steps[at].querySelector(":checked");
      notice.textContent = missing ? choose : "";
      if (!missing) go(at + 1, true);
    });
    const backward = make("button", back, send, () => history.back());
    backward.className = "second";
    const go = (to, push) => {
      at = Math.min(Math.max(to, 0), steps.length - 1);
      steps.forEach((one, place) => { one.hidden = place !== at; });
      forward.hidden = at === steps.length - 1;
      backward.hidden = at === 0;
      send.hidden = !forward.hidden;
      meter.value = at + 1;
      meter.setAttribute("aria-label", where.textContent = step.replace("#", at + 1).replace("#", steps.length));
      if (push) {
        history.pushState(at, "");
        scrollTo(0, 0);
        (steps[at].querySelector("input:checked") || steps[at].querySelector("input, h2")).focus();
      }
    };
    addEventListener("popstate", (event) => go(event.state || 0));
    history.replaceState(0, "");
    form.querySelector("h2").tabIndex = -1;
    const open = questions.findIndex((one) => !one.querySelector(":checked"));
    go(open < 0 ? questions.length : open);
  }

  if ("speechSynthesis" in window) {
    for (const question of questions) {
      const button = make("button", aloud, question.querySelector("label"), () => {
        speechSynthesis.cancel();
        const words = [...question.querySelectorAll("legend, label")].map((one) => one.textContent.trim()).join("。");
        const said = new SpeechSynthesisUtterance(words);
        said.lang = root.lang;
        speechSynthesis.speak(said);
      });
      button.className = "aloud";
    }
  }

  let again = 0;
  const post = async () => {
    clearTimeout(again);
    send.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.status !== 422 && answer.status < 500) kept(place, null);
      if (answer.ok) location.replace(answer.url);
      else form.submit(); // the server says in words what is wrong; the same form counts once
    } catch {
      notice.textContent = offline;
      send.disabled = false;
      again = setTimeout(post, 15000);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    kept(place, { token: token.value, given: answers() });
    post();
  });
  addEventListener("online", () => { if (notice.textContent === offline) post(); });
})();
