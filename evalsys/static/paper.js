// Keying forms on paper: one key an answer; the cursor goes on by itself. Without this file Tab does.
(() => {
  "use strict";
  const form = document.querySelector("form[data-keys]");
  const keys = [...form.querySelectorAll("input.key")];
  const go = (at) => {
    const next = keys[at] || form.querySelector("[type=submit]");
    next.focus();
    if (next.select) next.select();
  };
  keys.forEach((key, at) => {
    key.addEventListener("input", (event) => {
      if (key.value.trim() && !event.isComposing) go(at + 1);
    });
    key.addEventListener("compositionend", () => { if (key.value.trim()) go(at + 1); });
    key.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault(); // not sent before its end; what is passed over is empty on the paper
        if (!key.value) key.value = "-";
        go(at + 1);
      } else if ((event.key === "Backspace" && !key.value) || event.key === "ArrowUp") {
        event.preventDefault();
        go(Math.max(0, at - 1));
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        go(at + 1);
      }
    });
  });
  if (document.querySelector("[role=alert]")) go(keys.findIndex((key) => key.getAttribute("aria-invalid")));
})();
