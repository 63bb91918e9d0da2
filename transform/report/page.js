document.querySelectorAll("th").forEach(th => {
  const sort = () => {
    const table = th.closest("table"), body = table.tBodies[0], i = th.cellIndex;
    const down = th.getAttribute("aria-sort") !== "descending";
    table.querySelectorAll("th").forEach(h => h.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => { const c = row.cells[i]; return c.dataset.v !== undefined ? +c.dataset.v : c.textContent; };
    const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", {numeric: true});
    [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b))).forEach(r => body.append(r));
  };
  th.addEventListener("click", sort);
  th.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(); } });
});
