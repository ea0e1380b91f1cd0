// Sorting, filters, the choice of colours and copying. Without it the page is complete, only still.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function theme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    const chosen = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    try {
      localStorage.setItem("theme", chosen);
    } catch {
      // It holds for this page only.
    }
    show();
  });
  system.addEventListener("change", show);
  button.hidden = false;
  show();
}

// What is not known is less than everything.
const number = (text) => (text === "" ? -Infinity : Number(text));

function sortable(table) {
  const sorter = new Tablesort(table);
  const headers = all("thead th", table);
  for (const header of headers) {
    // A real button, which every keyboard and screen reader knows, inside the header that Tablesort listens to.
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.removeAttribute("tabindex");
  }
  sorter.current = headers.find((header) => header.hasAttribute("aria-sort"));
  return sorter;
}

function highlight(board) {
  const light = (agent) => {
    for (const curve of all(".curve", board)) {
      curve.classList.toggle("lit", curve.dataset.agent === agent);
      curve.classList.toggle("dim", agent !== undefined && curve.dataset.agent !== agent);
    }
  };
  for (const type of ["pointerover", "focusin"]) {
    board.querySelector("table").addEventListener(type, (event) => light(event.target.closest(".line")?.dataset.agent));
  }
  board.querySelector("table").addEventListener("pointerleave", () => light(undefined));
}

function showSeverity(board, sorter, severity) {
  for (const cell of all("td.result", board)) {
    for (const part of cell.children) {
      part.hidden = part.dataset.severity !== severity;
      if (!part.hidden) cell.dataset.sort = part.dataset.value;
    }
  }
  if (sorter.current) sorter.refresh();
}

function lineMatches(line, wanted) {
  const words = wanted.search.toLowerCase().split(/\s+/);
  const text = all(".agent a, .agent .description", line).map((part) => part.textContent).join(" ").toLowerCase();
  return (
    words.every((word) => text.includes(word)) &&
    Number(line.dataset.runs) >= Number(wanted.runs ?? 0) &&
    ["verified", "ranked"].every((what) => !wanted[what] || line.dataset[what] === wanted[what])
  );
}

function boardMatches(board, wanted) {
  return (
    ["suite", "task"].every((what) => !wanted[what] || board.dataset[what] === wanted[what]) &&
    (!wanted.severity || board.dataset.severities.split(" ").includes(wanted.severity))
  );
}

// Hides what was not asked for; returns the names of the agents that are left.
function filterBoard(board, wanted) {
  const left = all(".line", board).filter((line) => {
    line.hidden = !lineMatches(line, wanted);
    return !line.hidden;
  });
  for (const body of all("tbody", board)) body.hidden = !all(".line", body).some((line) => !line.hidden);
  const names = left.map((line) => line.dataset.agent);
  for (const curve of all(".curve, .legend [data-agent]", board)) curve.classList.toggle("gone", !names.includes(curve.dataset.agent));
  board.hidden = names.length === 0 || !boardMatches(board, wanted);
  return board.hidden ? [] : names;
}

const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

function filters(form, boards) {
  let severity = "";
  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const names = boards.map(({ board }) => filterBoard(board, wanted));
    const agents = counted(new Set(names.flat()).size, "agent");
    const under = wanted.severity && `, under ${wanted.severity}`;
    const shown = names.filter((found) => found.length).length;
    document.getElementById("found").textContent = `${agents} on ${counted(shown, "board")}${under}`;
    document.getElementById("nothing").hidden = shown > 0;
    if (wanted.severity !== severity) {
      severity = wanted.severity;
      for (const { board, sorter } of boards) showSeverity(board, sorter, severity);
    }
    // The address holds the choice, so that it can be sent to somebody.
    const chosen = Object.entries(wanted).filter(([, value]) => value);
    if (!chosen.length && location.hash.startsWith("#board-")) return;
    history.replaceState(null, "", chosen.length ? `#${new URLSearchParams(chosen)}` : location.pathname);
  };
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
}

Tablesort.extend("number", () => false, (a, b) => Math.sign(number(b) - number(a)) || 0);
theme();
const sorters = new Map(all("table").map((table) => [table, sortable(table)]));
const boards = all(".board").map((board) => ({ board, sorter: sorters.get(board.querySelector("table")) }));
for (const { board } of boards) highlight(board);
const form = document.getElementById("filters");
if (form) filters(form, boards);
for (const button of all("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(document.getElementById(button.dataset.copy));
    for (const status of all("[role=status]")) status.textContent = "";
    button.nextElementSibling.textContent = "Copied.";
  });
}
