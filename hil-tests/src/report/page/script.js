"use strict";
// The page is complete without this; it adds sessions on demand, the filter and the keyboard.
(() => {
  const one = (selector) => document.querySelector(selector);
  const grid = one("#grid"), dialog = one("#session"), body = one("#session-body");
  const rows = [...grid.tBodies[0].rows];
  const heads = [...grid.tHead.rows[0].cells];
  const boards = heads.length - 1 - (one("th.trouble") ? 1 : 0);
  const row = (scenario) => rows.find((candidate) => candidate.dataset.s === String(scenario));
  const bad = "fyqo";

  // Sessions: a gzip blob of HTML for each scenario.
  const unpacked = new Map();
  async function sessions(scenario) {
    if (!unpacked.has(scenario)) {
      const blob = document.getElementById("z" + scenario);
      const template = document.createElement("template");
      if (blob) {
        const bytes = Uint8Array.from(atob(blob.textContent), (letter) => letter.charCodeAt(0));
        const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
        template.innerHTML = await new Response(stream).text();
      }
      unpacked.set(scenario, template);
    }
    return unpacked.get(scenario);
  }

  let shown = null, before = null;
  const problems = rows.flatMap((line) => line.dataset.s === undefined ? [] :
    [...line.cells].flatMap((cell, at) => at >= 1 && at <= boards && bad.includes(cell.className || " ")
      ? [[Number(line.dataset.s), at - 1]] : []));
  const place = () => problems.findIndex(([s, b]) => shown && s === shown[0] && b === shown[1]);

  async function open(scenario, board) {
    const article = (await sessions(scenario)).content.querySelector(`article[data-b="${board}"]`);
    if (!article) return;
    shown = [scenario, board];
    body.replaceChildren(article.cloneNode(true));
    const at = place();
    one("#previous").disabled = at === 0 || problems.length === 0;
    one("#next").disabled = at === problems.length - 1 || problems.length === 0;
    history.replaceState(null, "", `#s${scenario}b${board}`);
    if (!dialog.open) { before = document.activeElement; dialog.showModal(); }
    dialog.scrollTop = 0;
  }
  const step = (by) => {
    const at = place();
    const to = problems[at < 0 ? 0 : at + by];
    if (to) open(...to);
  };
  one("#previous").addEventListener("click", () => step(-1));
  one("#next").addEventListener("click", () => step(1));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    if (before) before.focus();
  });
  const follow = () => {
    const named = /^#s(\d+)b(\d+)$/.exec(location.hash);
    if (named) open(Number(named[1]), Number(named[2]));
  };
  addEventListener("hashchange", follow);

  // The matrix: one stop for Tab, arrows inside.
  let current = null;
  function settle(cell) {
    if (current) current.tabIndex = -1;
    current = cell;
    cell.tabIndex = 0;
  }
  const visible = () => rows.filter((line) => line.dataset.s !== undefined && !line.hidden);
  const usable = (cell) => cell && cell.tagName === "TD" && !cell.hidden && cell.cellIndex <= boards;
  const enter = (cell) => {
    const line = cell.parentElement;
    if (usable(cell) && cell.className) open(Number(line.dataset.s), cell.cellIndex - 1);
  };
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("td");
    if (cell) { settle(cell); cell.focus(); enter(cell); }
  });
  grid.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.ctrlKey || event.altKey || event.metaKey) return;
    const lines = visible(), at = lines.indexOf(cell.parentElement);
    let to = null;
    const along = (from, by) => {
      for (let i = from; i >= 1 && i <= boards; i += by) if (!cell.parentElement.cells[i].hidden) return cell.parentElement.cells[i];
      return null;
    };
    switch (event.key) {
      case "ArrowDown": to = lines[at + 1]?.cells[cell.cellIndex]; break;
      case "ArrowUp": to = lines[at - 1]?.cells[cell.cellIndex]; break;
      case "ArrowRight": to = along(cell.cellIndex + 1, 1); break;
      case "ArrowLeft": to = along(cell.cellIndex - 1, -1); break;
      case "Home": to = along(1, 1); break;
      case "End": to = along(boards, -1); break;
      case "Enter": case " ": enter(cell); break;
      default: return;
    }
    event.preventDefault();
    if (to) { settle(to); to.focus(); to.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  });

  // The filter.
  const find = one("#find"), findBoard = one("#find-board"), only = one("#problems"), found = one("#found");
  function filter() {
    const text = find.value.trim().toLowerCase(), board = findBoard.value.trim().toLowerCase();
    const hide = heads.map((head, at) => at >= 1 && at <= boards && !head.textContent.toLowerCase().includes(board));
    heads.forEach((head, at) => { head.hidden = hide[at]; });
    let topic = null, count = 0;
    for (const line of rows) {
      if (line.dataset.s === undefined) { topic = line; line.hidden = true; continue; }
      let problem = false;
      for (let at = 1; at <= boards; at++) {
        line.cells[at].hidden = hide[at];
        problem ||= !hide[at] && bad.includes(line.cells[at].className || " ");
      }
      const fits = line.cells[0].textContent.toLowerCase().includes(text) && (!only.checked || problem);
      line.hidden = !fits;
      if (fits) { count += 1; if (topic) topic.hidden = false; }
    }
    const columns = hide.slice(1, boards + 1).filter((hidden) => !hidden).length;
    found.textContent = `${count} × ${columns}`;
  }
  for (const input of [find, findBoard, only]) input.addEventListener("input", filter);
  one(".tools").hidden = false;

  // Keys of the whole page.
  const cards = [...document.querySelectorAll("[data-problem]")];
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, textarea")) return;
    if (event.key === "/") { event.preventDefault(); if (!dialog.open) find.focus(); return; }
    if (event.key !== "n" && event.key !== "p") return;
    const by = event.key === "n" ? 1 : -1;
    if (dialog.open) { step(by); return; }
    const at = cards.indexOf(document.activeElement?.closest("[data-problem]"));
    const to = cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : at + by];
    if (to) { to.focus({ preventScroll: true }); to.scrollIntoView({ block: "start" }); }
  });

  const first = visible()[0]?.cells[1];
  if (first) settle(first);
  filter();
  follow();
})();
