"use strict";

/* Tables sort by a click on a column's head: numbers by value, words as people order them, dashes last. */
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [keyOf(row.cells[column].textContent.trim()), row]);
      rows.sort(([one], [other]) => compare(one, other, ascending ? 1 : -1));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function keyOf(text) {
  if (text === "" || text === "\u2013") return null;
  const number = /^[-+]?[\d,]*\.?\d+(e[-+]?\d+)?(?=$|[\s%(])/i.exec(text);
  if (!number) return text;
  const value = Number(number[0].replaceAll(",", ""));
  const unit = /^\s(min|h)$/.exec(text.slice(number[0].length));
  return unit ? value * { min: 60, h: 3600 }[unit[1]] : value;
}

function compare(one, other, direction) {
  if (one === null || other === null) return (one === null) - (other === null);
  if (typeof one === "number" && typeof other === "number") return direction * (one - other);
  return direction * String(one).localeCompare(String(other), "en", { numeric: true });
}

/* A link to a folded table unfolds it. */
function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", unfold);
unfold();

/* On paper every table is unfolded, but not the configuration. */
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open]):not(:has(pre))")) {
    folded.open = true;
    folded.dataset.folded = "";
  }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-folded]")) {
    folded.open = false;
    delete folded.dataset.folded;
  }
});

/* The figure to explore. Names reach the page as text alone. */
const { content, charts } = JSON.parse(document.getElementById("content").textContent);
const named = (row) => Object.fromEntries(row.map((value, column) => [content.cells.names[column], value]));
content.cells = content.cells.rows.map(named);
if (content.cells.length) explore();

async function explore() {
  const known = (value, digits, unit = "") => (value === null ? "unknown" : value.toFixed(digits) + unit);
  content.cells.forEach((cell, place) => {
    cell.place = place;
    cell.knee =
      cell.status === "censored" ? `PK beyond ${known(cell.height, 1, " %")}`
      : cell.pk === null ? "no knee"
      : `PK ${known(cell.pk, 1, " %")}`;
    cell.name = `lambda ${cell.lam}, seed ${cell.seed}`;
    cell.words = `${cell.network}, ${cell.name}: WS ${known(cell.ws, 2)}, ${cell.knee}${cell.included ? "" : ", excluded"}`;
  });
  document.getElementById("explorer").hidden = false;
  const views = {};
  for (const [name, specification] of Object.entries(charts)) {
    // Expressions are interpreted (ast): the page's policy forbids to make code from text. An empty layer is no reason
    // to warn (logLevel).
    const options = { mode: "vega", renderer: "svg", ast: true, actions: false, defaultStyle: false, logLevel: 1 };
    views[name] = (await vegaEmbed(document.getElementById(name), specification, options)).view;
  }
  const list = document.getElementById("pick");
  let recipe, picked;

  function choose(name) {
    recipe = name;
    const own = content.cells.filter((cell) => cell.recipe === recipe);
    list.replaceChildren(...own.map((cell) => new Option(cell.words, cell.place)));
    views.scatter.data("cells", own.filter((cell) => cell.ws !== null && cell.height !== null));
    views.scatter.data("lines", content.lines.filter((line) => line.recipe === recipe));
    const before = content.cells[picked];
    const same = before && own.find((c) => c.network === before.network && c.lam === before.lam && c.seed === before.seed);
    pick((same ?? own.find((cell) => cell.included) ?? own[0]).place);
  }

  function pick(place) {
    picked = place;
    const cell = content.cells[place];
    const colour = content.colours[cell.network];
    list.value = place;
    const steps = (of) => content.curves[of][0].map((x, step) => ({ place: of, x, y: content.curves[of][1][step] }));
    const others = content.cells.filter(
      (other) => other.recipe === cell.recipe && other.network === cell.network && other !== cell,
    );
    views.curve.data("others", others.flatMap((other) => steps(other.place)));
    views.curve.data("own", steps(place).map((step) => ({
      ...step, colour, words: `${known(step.x, 1, " %")} removed: ${known(step.y, 1)} points lost`,
    })));
    views.curve.data("knee", cell.pk === null ? [] : [{ x: cell.pk, y: cell.loss, words: cell.knee }]);
    const [names, full] = content.layers[cell.network];
    const kept = content.widths[place];
    views.widths.data("layers", names.map((layer, index) => ({
      layer, colour, before: full[index], kept: kept[index] ?? null,
      words: `${layer}: ${kept.length ? `${kept[index]} of ` : ""}${full[index]} channels`,
    })));
    document.getElementById("left").textContent = kept.length
      ? "Grey: before pruning. Layers from input to output."
      : "This curve has no knee: channels before pruning, layers from input to output.";
    views.scatter.signal("picked", place);
    for (const view of Object.values(views)) view.run();
    document.getElementById("picked").textContent = describe(cell);
  }

  function describe(cell) {
    const parts = [`${cell.network}, ${cell.name}, pruned by ${content.recipes[cell.recipe]}`,
      `${known(cell.accuracy, 1, " %")} of the validation clips right before pruning`, `WS ${known(cell.ws, 2)}`];
    if (cell.pk === null) parts.push(cell.knee);
    else {
      const interval = cell.low === null ? "" : ` (${known(cell.low, 1)} to ${known(cell.high, 1)} over places)`;
      parts.push(`${cell.knee}${interval}, where ${known(cell.loss, 1)} points are lost`,
        `${known(cell.compression, 1, " %")} of the parameters gone`);
    }
    return `${parts.join("; ")}.${cell.included ? "" : ` Excluded: ${cell.reason}.`}`;
  }

  const choices = document.getElementById("recipes");
  for (const [name, words] of Object.entries(content.recipes)) {
    const label = document.createElement("label");
    const button = document.createElement("input");
    Object.assign(button, { type: "radio", name: "recipe", value: name, checked: name === content.recipe });
    button.addEventListener("change", () => choose(name));
    label.append(button, ` ${words}`);
    choices.append(label);
  }
  list.addEventListener("change", () => pick(Number(list.value)));
  views.scatter.addEventListener("click", (_, item) => {
    if (item?.datum?.place !== undefined) pick(item.datum.place);
  });
  choose(content.recipe);
}
