// Cart and pole, and what is drawn of those who play them.

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

// What drawInputs takes, of an agent for which sensors and noise come in this order.
function inputsOf(run, order) {
  const { attention, sensors } = run.network;
  const reads = sensors !== undefined && !run.problem(order.length);
  const taken = reads ? order.map((channel, row) => ({ name: SENSORS[row].symbol, right: channel === row })) : [];
  const names = order.map((channel) => channelName(channel).symbol);
  const heading = `input, last ${REMEMBERED / 100} s`;
  return { rows: run.inputs, names, attention: order.flatMap((_, row) => (attention[row] ? [attention[row]] : [])), taken, aside: true, heading };
}

// What drawReturns takes.
function returnsOf(session) {
  const lines = session.runs.map((run) => run.returns.map((value, step) => [step, value]));
  const label = (step) => `${step / 100} s`;
  return { lines, changes: session.shuffles, end: EPISODE_STEPS, values: [0, 500, 1000], label };
}
