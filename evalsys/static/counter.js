// Says how many characters a field still takes; the server counts again.
for (const shown of document.querySelectorAll("[data-left]")) {
  const field = document.getElementById(shown.dataset.of);
  const tell = () => {
    const left = Number(shown.dataset.most) - [...field.value.trim()].length;
    shown.textContent = shown.dataset.left.replace("#", left);
    shown.classList.toggle("field-error", left < 0);
  };
  field.addEventListener("input", tell);
  tell();
}
