// Filters the rows of a table. Without this script every row is shown.
"use strict";
for (const form of document.querySelectorAll("form.filter")) {
  const rows = [...document.getElementById(form.dataset.for).tBodies[0].rows]
    .map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const output = form.querySelector("output");
  const apply = () => {
    const data = new FormData(form);
    const words = (data.get("text") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = data.getAll("verdict");
    const version = data.get("version") || "";
    let shown = 0;
    for (const { row, text } of rows) {
      const keep = words.every((w) => text.includes(w)) &&
        (verdicts.length === 0 || row.dataset.verdict.split(" ").some((v) => verdicts.includes(v))) &&
        (version === "" || version === row.dataset.version) &&
        (!data.has("differs") || "differs" in row.dataset);
      row.hidden = !keep;
      if (keep) shown++;
    }
    output.value = shown === rows.length ? `all ${rows.length}` : `${shown} of ${rows.length}`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
