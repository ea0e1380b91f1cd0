// Pictures on canvases, in the colours of the style sheet.

const COLOURS = ["card", "ink", "quiet", "rule", "edge", "track", "left", "right", "low", "high", "pole", "cart"];
const SIDES = ["left", "right"];
const REMEMBERED = 150; // time steps of inputs that are drawn
const STRONGEST = Math.asinh(4); // values are coloured by asinh, as agents compress them

// The colours of the moment, as the browser computes them for this reader.
function palette() {
  const probe = document.body.appendChild(document.createElement("span"));
  const computed = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(COLOURS.map((name) => [name, computed(name)]));
  found.font = getComputedStyle(probe).fontFamily;
  probe.remove();
  return found;
}

// Draw on a canvas in CSS pixels, sharp on every screen.
function paint(canvas, { font }, draw) {
  const [width, height, scale] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const ink = canvas.getContext("2d");
  ink.setTransform(scale, 0, 0, scale, 0, 0);
  ink.clearRect(0, 0, width, height);
  ink.font = `12px ${font}`;
  draw(ink, width, height);
}

function line(ink, colour, width, points) {
  [ink.strokeStyle, ink.lineWidth] = [colour, width];
  ink.beginPath();
  for (const [x, y] of points) ink.lineTo(x, y);
  ink.stroke();
}

// Numbers from -1 to 1 as a picture: {width, height, at(column, row)}.
function heatMap(ink, box, { width, height, at }, colours) {
  const [zero, low, high] = [colours.track, colours.low, colours.high].map(channels);
  const image = new ImageData(width, height);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i += 4) {
      const value = at(column, row);
      const [end, share] = [value < 0 ? low : high, Math.min(Math.abs(value), 1)];
      for (let c = 0; c < 3; c++) image.data[i + c] = zero[c] + share * (end[c] - zero[c]);
      image.data[i + 3] = 255;
    }
  }
  const sheet = sheetOf(width, height);
  sheet.getContext("2d").putImageData(image, 0, 0);
  ink.imageSmoothingEnabled = false;
  ink.drawImage(sheet, ...box);
}

const SHEETS = new Map(); // kept: resizing one in every frame would make its memory anew

function sheetOf(width, height) {
  const size = `${width} ${height}`;
  if (!SHEETS.has(size)) SHEETS.set(size, Object.assign(document.createElement("canvas"), { width, height }));
  return SHEETS.get(size);
}

const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);

const HEADING = 19; // pixels above the rows
const TALLEST = 420; // pixels of all rows, however many
const LOWEST_NAMED = 9; // a row that has room for a name
const rowHeight = (places, width) => Math.max(1, Math.min(TALLEST / places, places > 12 ? 11 : places > 5 ? 14 : width < 420 ? 18 : 22));

// Every place of an agent's input over the last steps; beside it attention, or what the place is taken for.
// view: {rows: one list of values a step, names: of places, attention: of each place to each code, if there is any,
// taken: {name, right} of each place, if there is no attention, aside: whether either is to be expected, heading,
// margin: pixels for names}
function drawInputs(canvas, view, colours) {
  const { names } = view;
  const height = rowHeight(names.length, canvas.clientWidth);
  const needed = `${Math.ceil(names.length * height) + HEADING}px`;
  if (canvas.style.height !== needed) canvas.style.height = needed;
  paint(canvas, colours, (ink, width) => {
    [ink.textBaseline, ink.fillStyle] = ["middle", colours.quiet];
    const start = Math.min(view.margin ?? 46, width * 0.3);
    const aside = view.aside ? Math.min(190, width * 0.34) : 0;
    const strip = [start, HEADING, width - start - (aside && aside + 12), names.length * height];
    ink.fillText(view.heading, start, 8);
    const at = (column, row) => {
      const seen = view.rows[view.rows.length - REMEMBERED + column];
      return seen && row < seen.length ? Math.asinh(seen[row]) / STRONGEST : 0;
    };
    heatMap(ink, strip, { width: REMEMBERED, height: names.length, at }, colours);
    drawAside(ink, view, [width - aside, HEADING, aside, names.length * height], colours);
    if (names.length <= 5) rule(ink, strip, names.length, colours);
    if (height < LOWEST_NAMED) return;
    ink.font = ink.font.replace("12px", `${Math.min(13, height)}px`);
    ink.fillStyle = colours.ink;
    names.forEach((name, row) => ink.fillText(name, 0, HEADING + (row + 0.5) * height, start - 6));
  });
}

function rule(ink, [x, y, width, height], rows, colours) {
  for (let row = 1; row < rows; row++) {
    const at = y + (row * height) / rows;
    line(ink, colours.card, 2, [[x, at], [x + width, at]]);
  }
}

function drawAside(ink, { attention, taken }, box, colours) {
  const [x, y, width, height] = box;
  const rows = attention.length || taken.length;
  if (!rows) return;
  ink.fillText(attention.length ? "attention" : "is taken for", x, 8);
  if (attention.length) {
    heatMap(ink, box, { width: attention[0].length, height: rows, at: (code, row) => attention[row][code] }, colours);
    if (rows <= 5) rule(ink, box, rows, colours);
  }
  taken.forEach(({ name, right }, row) => {
    ink.fillStyle = right ? colours.quiet : colours.high;
    ink.fillText(`${right ? "=" : "≠"}  ${name}`, x, y + ((row + 0.5) * height) / rows, width);
  });
  ink.fillStyle = colours.quiet;
}

// Returns over the steps of an episode; ticks where something changed.
// curves: {lines: points [step, return] of each side, changes: steps, end: the last step, values: lines across,
// label: what stands at a step}
function drawReturns(canvas, { lines, changes, end, values, label }, colours) {
  paint(canvas, colours, (ink, width, height) => {
    const [left, bottom, top] = [Math.max(38, 10 + Math.max(...values.map((value) => ink.measureText(value).width))), height - 20, 8];
    const [low, high] = [values[0], values.at(-1)];
    const x = (step) => left + (step / end) * (width - left - 8);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    [ink.fillStyle, ink.textBaseline, ink.lineJoin] = [colours.quiet, "middle", "round"];
    ink.textAlign = "right";
    for (const value of values) {
      line(ink, colours.rule, 1, [[left, y(value)], [width - 8, y(value)]]);
      ink.fillText(value, left - 8, y(value));
    }
    for (const share of [0, 0.5, 1]) {
      ink.textAlign = share === 1 ? "right" : "left";
      ink.fillText(label(share * end), x(share * end), height - 6);
    }
    for (const step of changes) line(ink, colours.edge, 1.5, [[x(step), bottom], [x(step), bottom - 9]]);
    lines.forEach((points, side) => {
      const stride = Math.max(1, Math.floor(points.length / 300));
      const shown = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
      line(ink, colours[SIDES[side]], 2.5, shown.map(([step, value]) => [x(step), y(value)]));
    });
  });
}
