// Pictures on canvases, in the colours of the style sheet.

const COLOURS = ["card", "ink", "quiet", "rule", "edge", "track", "left", "right", "low", "high", "pole", "cart"];
const SIDES = ["left", "right"];
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

// The cart on its track, in metres, mirrored if the world is.
function drawScene(canvas, run, colours, side, { mirrored, still }) {
  paint(canvas, colours, (ink, width, height) => {
    const metre = width / (2 * TRACK_HALF_LENGTH + 0.6);
    const sign = mirrored ? -1 : 1;
    const axle = ([x]) => [width / 2 + sign * x * metre, height * 0.56];
    const tip = (state) => {
      const [x, y] = axle(state);
      return [x + sign * POLE_LENGTH * metre * Math.sin(state[2]), y - POLE_LENGTH * metre * Math.cos(state[2])];
    };
    [ink.lineCap, ink.lineJoin] = ["round", "round"];
    drawTrack(ink, width, height, metre, colours);
    ink.globalAlpha = run.left || still ? 0.45 : 1;
    drawTrail(ink, run.trail.map(tip), colours[side]);
    drawCart(ink, axle(run.state), tip(run.state), metre, colours, sign * run.push, colours[side]);
  });
}

function drawTrack(ink, width, height, metre, colours) {
  const y = height * 0.56;
  const ends = [-1, 1].map((end) => width / 2 + end * TRACK_HALF_LENGTH * metre);
  line(ink, colours.rule, 3, ends.map((x) => [x, y]));
  for (const x of ends) line(ink, colours.edge, 3, [[x, y - 10], [x, y + 10]]);
  line(ink, colours.rule, 1, [[width / 2, y + 14], [width / 2, y + 20]]);
}

function drawTrail(ink, points, colour) {
  const alpha = ink.globalAlpha;
  for (let i = 1; i < points.length; i++) {
    ink.globalAlpha = (alpha * 0.4 * i) / points.length;
    line(ink, colour, 2, points.slice(i - 1, i + 1));
  }
  ink.globalAlpha = alpha;
}

function drawCart(ink, [x, y], tip, metre, colours, push, pushColour) {
  const [width, height] = [0.42 * metre, 0.2 * metre];
  line(ink, pushColour, 4, [[x, y + height], [x + 0.5 * metre * push, y + height]]);
  ink.fillStyle = colours.cart;
  ink.beginPath();
  ink.roundRect(x - width / 2, y - height / 2, width, height, 4);
  ink.fill();
  line(ink, colours.pole, 0.085 * metre, [[x, y], tip]);
  ink.fillStyle = colours.card;
  ink.beginPath();
  ink.arc(x, y, 0.025 * metre + 1, 0, 7);
  ink.fill();
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
const rowHeight = (places, width) => (places > 12 ? 11 : places > 5 ? 14 : width < 420 ? 18 : 22);

// Every place of the agent's input over the last steps; beside it attention, or what the place is taken for.
function drawInputs(canvas, run, order, colours) {
  const [rows, height] = [order.length, rowHeight(order.length, canvas.clientWidth)];
  const needed = `${rows * height + HEADING}px`;
  if (canvas.style.height !== needed) canvas.style.height = needed;
  paint(canvas, colours, (ink, width) => {
    const [start, aside] = [46, Math.min(190, width * 0.34)];
    const strip = [start, HEADING, width - start - aside - 12, rows * height];
    [ink.textBaseline, ink.fillStyle] = ["middle", colours.quiet];
    ink.fillText(`input, last ${REMEMBERED / 100} s`, start, 8);
    const at = (column, row) => {
      const seen = run.inputs[run.inputs.length - REMEMBERED + column];
      return seen && row < seen.length ? Math.asinh(seen[row]) / STRONGEST : 0;
    };
    heatMap(ink, strip, { width: REMEMBERED, height: rows, at }, colours);
    drawAside(ink, run, order, [width - aside, HEADING, aside, rows * height], colours);
    if (rows <= 5) rule(ink, strip, rows, colours);
    ink.font = ink.font.replace("12px", `${Math.min(13, height)}px`);
    ink.fillStyle = colours.ink;
    order.forEach((channel, row) => ink.fillText(channelName(channel).symbol, 0, HEADING + (row + 0.5) * height));
  });
}

function rule(ink, [x, y, width, height], rows, colours) {
  for (let row = 1; row < rows; row++) {
    const at = y + (row * height) / rows;
    line(ink, colours.card, 2, [[x, at], [x + width, at]]);
  }
}

function drawAside(ink, run, order, box, colours) {
  const [x, y, , height] = box;
  const { attention, sensors } = run.network;
  if (sensors === undefined) {
    ink.fillText("attention", x, 8);
    if (!attention.length) return;
    heatMap(ink, box, { width: attention[0].length, height: order.length, at: (code, row) => attention[row]?.[code] ?? 0 }, colours);
    if (order.length <= 5) rule(ink, box, order.length, colours);
    return;
  }
  if (run.problem(order.length)) return;
  ink.fillText("is taken for", x, 8);
  for (let row = 0; row < sensors; row++) {
    const right = order[row] === row;
    ink.fillStyle = right ? colours.quiet : colours.high;
    ink.fillText(`${right ? "=" : "≠"}  ${SENSORS[row].symbol}`, x, y + ((row + 0.5) * height) / order.length);
  }
  ink.fillStyle = colours.quiet;
}

// Return over the steps of the episode; ticks where the order changed.
function drawReturns(canvas, session, colours) {
  paint(canvas, colours, (ink, width, height) => {
    const [left, bottom, top] = [38, height - 20, 8];
    const x = (step) => left + (step / EPISODE_STEPS) * (width - left - 8);
    const y = (value) => bottom - (value / EPISODE_STEPS) * (bottom - top);
    [ink.fillStyle, ink.textBaseline, ink.lineJoin] = [colours.quiet, "middle", "round"];
    for (const value of [0, 500, 1000]) {
      line(ink, colours.rule, 1, [[left, y(value)], [width - 8, y(value)]]);
      ink.textAlign = "right";
      ink.fillText(value, left - 8, y(value));
      ink.textAlign = value === 1000 ? "right" : "left";
      ink.fillText(`${value / 100} s`, x(value), height - 6);
    }
    for (const step of session.shuffles) line(ink, colours.edge, 1.5, [[x(step), bottom], [x(step), bottom - 9]]);
    session.runs.forEach((run, i) => {
      const stride = Math.max(1, Math.floor(run.returns.length / 300));
      const points = run.returns.flatMap((value, step) => (step % stride ? [] : [[x(step), y(value)]]));
      line(ink, colours[SIDES[i]], 2.5, [...points, [x(run.steps), y(run.return)]]);
    });
  });
}
