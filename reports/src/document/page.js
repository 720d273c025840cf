"use strict";
for (const box of document.querySelectorAll(".box")) {
  const body = box.querySelector("tbody"), heads = [...box.querySelectorAll("th")];
  heads.forEach((head, place) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending";
      const key = (row) => {
        const cell = row.cells[place], value = cell.dataset.v;
        return value === undefined ? cell.textContent : value === "" ? NaN : Number(value);
      };
      const order = (a, b) => {
        const x = key(a), y = key(b);
        if (typeof x === "string" && typeof y === "string") return x.localeCompare(y);
        if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : -1;
        return Number.isNaN(y) ? 1 : x - y;
      };
      const rows = [...body.rows].sort((a, b) => (up ? order(a, b) : order(b, a)));
      rows.forEach((row) => body.appendChild(row));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
  const filter = box.querySelector("input");
  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }
}
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", open);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
open();
