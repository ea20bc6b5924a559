// Tables that sort and search, by keyboard too; without it a page is whole all the same. Its words are in the data of <main>.
"use strict";
{
  const words = document.querySelector("main").dataset;
  const byText = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const units = { k: 1e3, K: 1e3, M: 1e6, B: 1e9, "万": 1e4, "亿": 1e8 };
  const number = /^([+−-]?)(?:\p{L}{0,3}\p{Sc}|[A-Z]{3}\u00a0)?([+−-]?)(\d[\d,]*(?:\.\d+)?)(?![\d,]|[-/:.年月]\d)\s?([kKMB万亿](?!\p{Script=Latin}))?/u;
  const isDate = /^[A-Z][a-z]+ \d{1,2}, \d{4}$/;

  const shown = (row, at) => {
    const parts = [...row.cells[at].childNodes].filter((node) => node.nodeName !== "SMALL");
    return parts.map((node) => node.textContent).join("").trim();
  };
  const empty = (text) => text === "" || text === "–";
  const asNumber = (text) => {
    const [, sign, late, digits, unit] = number.exec(text);
    return (sign + late && sign + late !== "+" ? -1 : 1) * Number(digits.replaceAll(",", "")) * (units[unit] ?? 1);
  };
  const comparing = (texts) => {
    const known = texts.filter((text) => !empty(text));
    if (known.every((text) => number.test(text))) return (a, b) => asNumber(a) - asNumber(b);
    if (known.every((text) => isDate.test(text))) return (a, b) => Date.parse(a) - Date.parse(b);
    return byText.compare;
  };

  function sortable(table, rows, all) {
    const heads = [...table.tHead.rows].at(-1).cells;
    [...heads].forEach((head, at) => {
      if (head.nodeName !== "TH") return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
        const order = next === undefined ? "ascending" : next;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (order) head.setAttribute("aria-sort", order);
        const keyed = rows.map((row) => [row, shown(row, at)]), rest = all.filter((row) => !rows.includes(row));
        const compare = comparing(keyed.map(([, text]) => text)), turn = order === "descending" ? -1 : 1;
        keyed.sort(([, a], [, b]) => empty(a) - empty(b) || (empty(a) ? 0 : turn * compare(a, b)));
        table.tBodies[0].append(...(order ? [...keyed.map(([row]) => row), ...rest] : all));
      });
    });
  }

  function searchable(box, rows, name) {
    const label = document.createElement("label"), field = document.createElement("input"), found = document.createElement("output");
    const fold = (text) => text.normalize("NFKC").toLowerCase();
    label.className = "search";
    field.type = "search";
    field.setAttribute("aria-label", `${words.search}: ${name}`);
    label.append(words.search, field, found);
    box.before(label);
    field.addEventListener("input", () => {
      const asked = fold(field.value).split(/\s+/);
      for (const row of rows) row.hidden = !asked.every((word) => fold(row.textContent).includes(word));
      const left = rows.filter((row) => !row.hidden).length;
      found.value = field.value ? words.found.replace("{left}", left).replace("{all}", rows.length) : "";
    });
  }

  for (const box of document.querySelectorAll(".scroll")) {
    const table = box.querySelector("table"), all = [...table.tBodies[0].rows];
    const rows = all.filter((row) => !["sum", "end"].includes(row.className));  // those stay below, and are always found
    const title = box.previousElementSibling?.matches("h3") ? box.previousElementSibling : box.closest("section").querySelector("h2");
    if (rows.length >= 4) sortable(table, rows, all);
    if (rows.length >= 12) searchable(box, rows, title.textContent);
    new ResizeObserver(() => {  // what scrolls is reached by keyboard
      for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": title.textContent }))
        box.scrollWidth > box.clientWidth ? box.setAttribute(name, value) : box.removeAttribute(name);
    }).observe(box);
  }
}
