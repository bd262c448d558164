// The ledger page: filters the rows, sorts them by a column, says how many are shown, and keeps both in the page's address.
//
// Without this script the page shows every row in the order of the reports; the form is then hidden.
// An address looks like ledger.html#report=A&verdict=any-differ&sort=Measured&down=1; one like ledger.html#A-drop-gap leads to a row.
// Links of the book say ledger.html?report=A instead, since the theme takes what follows # in a link for the name of a place.
(function () {
  "use strict";

  const form = document.getElementById("ledger-filter");
  const table = document.getElementById("ledger-table");
  const count = document.getElementById("ledger-count");
  const rows = [...table.querySelectorAll("tbody tr[id]")];
  const groups = [...table.tBodies];
  const headings = [...table.tHead.rows[0].cells];
  const home = new Map(rows.map((row) => [row, row.parentNode]));
  const text = new Map(rows.map((row) => [row, (row.dataset.chapter + " " + row.textContent).toLowerCase()]));
  const sorted = document.createElement("tbody"); // takes all rows while they are sorted by a column
  let order = { column: -1, down: false };

  // ---------------------------------------------------------------------------------------------------- filtering

  const fields = ["report", "chapter", "kind", "verdict", "words"];

  function matches(row) {
    const wanted = (name) => form.elements[name].value;
    const verdict = wanted("verdict");
    return (
      ["report", "chapter", "kind"].every((name) => !wanted(name) || row.dataset[name] === wanted(name)) &&
      (!verdict || row.dataset.verdict === verdict || "any-" + row.dataset.group === verdict) &&
      wanted("words").toLowerCase().split(/\s+/).every((word) => text.get(row).includes(word))
    );
  }

  function show() {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row);
      shown += !row.hidden;
    }
    for (const group of groups) group.hidden = ![...group.rows].some((row) => row.id && !row.hidden);
    count.textContent = shown + " of " + rows.length + " rows" + (shown ? "." : ": nothing fits all of these filters.");
  }

  // ------------------------------------------------------------------------------------------------------ sorting

  // The number that a cell begins with ("≈ 25,000" is 25000); a cell without one comes last in either direction.
  function number(cell) {
    const found = cell.textContent.replace(/,(?=\d{3})/g, "").match(/-?\d+(\.\d+)?/);
    return found ? Number(found[0]) : null;
  }

  function compare(first, second) {
    const [a, b] = [first.cells[order.column], second.cells[order.column]];
    let difference;
    if (headings[order.column].dataset.sort === "number") {
      const [x, y] = [number(a), number(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      difference = x - y;
    } else {
      difference = a.textContent.localeCompare(b.textContent, "en", { numeric: true });
    }
    return order.down ? -difference : difference;
  }

  function arrange() {
    headings.forEach((heading, column) => {
      if (column === order.column) heading.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    table.classList.toggle("is-sorted", order.column >= 0); // then each row names its chapter
    if (order.column < 0 && sorted.isConnected) {
      for (const row of rows) home.get(row).append(row); // `rows` keeps the order of the page
      sorted.remove();
    } else if (order.column >= 0) {
      sorted.append(...[...rows].sort(compare)); // a stable sort: equal cells stay in the order of the reports
      table.append(sorted);
    }
  }

  // A heading is pressed: upwards, downwards, back to the order of the reports.
  function press(column) {
    if (order.column !== column) order = { column, down: false };
    else if (!order.down) order = { column, down: true };
    else order = { column: -1, down: false };
    arrange();
    show();
    write();
  }

  // -------------------------------------------------------------------------------------------------- the address

  function write() {
    const state = new URLSearchParams();
    for (const name of fields) if (form.elements[name].value) state.set(name, form.elements[name].value);
    if (order.column >= 0) state.set("sort", headings[order.column].dataset.name);
    if (order.down) state.set("down", "1");
    const address = location.pathname + (String(state) ? "#" + state : "");
    try {
      history.replaceState(null, "", address);
    } catch (error) {
      // some browsers refuse this for files; the page works all the same
    }
  }

  function read(address) {
    const state = new URLSearchParams(address);
    for (const name of fields) {
      form.elements[name].value = state.get(name) || "";
      if (form.elements[name].selectedIndex === -1) form.elements[name].value = ""; // an unknown choice: all
    }
    order = { column: headings.findIndex((heading) => heading.dataset.sort && heading.dataset.name === state.get("sort")), down: false };
    order.down = order.column >= 0 && state.has("down");
    arrange();
    show();
  }

  // ---------------------------------------------------------------------------------------------------- beginning

  headings.forEach((heading, column) => {
    heading.dataset.name = heading.textContent;
    if (!heading.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => press(column));
    heading.replaceChildren(button);
  });
  form.addEventListener("input", () => (show(), write()));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () =>
    setTimeout(() => {
      order = { column: -1, down: false };
      arrange();
      show();
      write();
    })
  );
  const state = () => (location.hash.includes("=") ? location.hash.slice(1) : "");
  window.addEventListener("hashchange", () => read(state()));
  form.hidden = count.hidden = false;
  read(state() || location.search);
  if (location.hash && !state()) document.getElementById(location.hash.slice(1))?.scrollIntoView();
})();
